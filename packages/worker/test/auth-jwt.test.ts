import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Code, type Metadata } from "@gantry/rpc";
import { SignJWT, UnsecuredJWT } from "jose";
import { readAuthFile } from "../src/auth/auth-file.ts";
import { createJwtVerifier } from "../src/auth/jwt-verifier.ts";
import { fileKeys, type KeySource, remoteKeys } from "../src/auth/keys.ts";
import { AUDIENCE, bearer, type Claims, ISSUER, keyServer, sha256, testIssuer } from "./support/auth.ts";
import { failsWith } from "./support/in-process.ts";
import { authKitchen } from "./support/kitchen-auth.ts";
import { logLines } from "./support/log-lines.ts";
import { temporaryFile } from "./support/temporary-file.ts";

const now = () => Math.floor(Date.now() / 1_000);

/** A worker's file that trusts the issuer. */
function trusting(jwks: string, more = ""): string {
  return `jwt:\n  - { issuer: ${ISSUER}, audience: ${AUDIENCE}, jwks: ${JSON.stringify(jwks)}${more} }\n`;
}

/** A kitchen that trusts an issuer by a file of its keys, and says who calls and what they may do. */
async function trustingKitchen(more = "") {
  const issuer = await testIssuer();
  const keys = await temporaryFile("keys.json", issuer.jwks());
  const kitchen = await authKitchen(
    { cook: (_, { principal }) => ({ name: [principal?.name, ...(principal?.scopes ?? [])].join(" ") }) },
    { principals: trusting(keys.path, more) },
  );
  return {
    ...kitchen,
    issuer,
    who: async (claims: Claims) => (await kitchen.kinds.Cook(bearer(await issuer.sign(claims)))).name,
    async [Symbol.asyncDispose]() {
      await kitchen[Symbol.asyncDispose]();
      await keys[Symbol.asyncDispose]();
    },
  };
}

/** A verifier of what an issuer signs, with keys from wherever they come. */
async function verifierOf(source: KeySource) {
  const { issuers } = await readAuthFile("auth.yaml", trusting("keys.json"));
  const verifier = createJwtVerifier(issuers.map((issuer) => ({ ...issuer, source })));
  return Object.assign(verifier, { decide: async (token: string) => verifier.verify(token, sha256(token)) });
}

test("a token's issuer, subject and scopes make the principal, in every kind of call", async () => {
  await using kitchen = await trustingKitchen();
  const headers = bearer(await kitchen.issuer.sign());
  for (const call of Object.values(kitchen.kinds)) await call(headers);
  const calls = kitchen.lines.filter(({ msg }) => msg === "call");
  assert.deepEqual(
    calls.map(({ principal }) => principal),
    Object.keys(kitchen.kinds).map(() => "https://id.example#carol"),
  );
  assert.equal(await kitchen.who({ scope: "a  b" }), "https://id.example#carol a b");
  assert.equal(await kitchen.who({ scope: ["a", 7, "b"] }), "https://id.example#carol a b");
  assert.equal(await kitchen.who({ aud: ["others", AUDIENCE] }), "https://id.example#carol");
});

test("claims and the principal's prefix are the operator's choice", async () => {
  await using kitchen = await trustingKitchen(
    ", principal_claim: email, principal_prefix: '', scopes_claim: roles",
  );
  assert.equal(
    await kitchen.who({ email: "c@id.example", roles: ["cook"], scope: "a" }),
    "c@id.example cook",
  );
});

describe("a token is not taken", () => {
  const claims: Readonly<Record<string, () => Claims>> = {
    "of another issuer": () => ({ iss: "https://evil.example" }),
    "for another audience": () => ({ aud: "other" }),
    "that is past its time": () => ({ exp: now() - 6 }),
    "that does not expire": () => ({ without: "exp" }),
    "that is not valid yet": () => ({ nbf: now() + 60 }),
    "whose key is not known": () => ({ kid: "second" }),
    "that names nobody": () => ({ without: "sub" }),
    "that names nobody in particular": () => ({ sub: "" }),
    "whose name would break a line of the log": () => ({ sub: "a\nb" }),
    "whose name is longer than any": () => ({ sub: "x".repeat(129) }),
  };
  for (const [what, make] of Object.entries(claims)) {
    test(what, async () => {
      await using kitchen = await trustingKitchen();
      await assert.rejects(kitchen.who(make()), failsWith(Code.Unauthenticated));
    });
  }

  const forged: Readonly<Record<string, (jwks: string, good: string) => string | Promise<string>>> = {
    "that is not signed": () =>
      new UnsecuredJWT({ sub: "carol" })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setExpirationTime("5m")
        .encode(),
    "that is signed by the public key as a secret": (jwks) =>
      new SignJWT({ sub: "carol" })
        .setProtectedHeader({ alg: "HS256", kid: "first" })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setExpirationTime("5m")
        .sign(new TextEncoder().encode(jwks.padEnd(32))),
    "that is signed by somebody else": async () => (await testIssuer()).sign(),
    "whose signature was changed": (_, good) => good.replace(/\.[^.]{4}([^.]*)$/, ".AAAA$1"),
    "whose claims were changed": (_, good) => {
      const [header, , signature] = good.split(".");
      const changed = { iss: ISSUER, aud: AUDIENCE, sub: "root", exp: now() + 60 };
      return [header, Buffer.from(JSON.stringify(changed)).toString("base64url"), signature].join(".");
    },
    "that is broken": (_, good) => good.slice(0, -10),
    "whose claims are none": () => "eyJhbGciOiJFUzI1NiJ9.bm9uZQ.c2ln",
  };
  for (const [what, make] of Object.entries(forged)) {
    test(what, async () => {
      await using kitchen = await trustingKitchen();
      const token = await make(kitchen.issuer.jwks(), await kitchen.issuer.sign());
      await assert.rejects(kitchen.kinds.Cook(bearer(token)), failsWith(Code.Unauthenticated));
      assert.ok(!JSON.stringify(kitchen.lines).includes(token), "and the log does not quote it");
    });
  }
});

test("a token that was verified is known at once, and past its time no longer", async (t) => {
  const issuer = await testIssuer();
  await using file = await temporaryFile("keys.json", issuer.jwks());
  const source = await fileKeys(file.path, { log: logLines().log, onChange() {} });
  t.after(() => source.close());
  const verifier = await verifierOf(source);
  const exp = now() + 60;
  const token = await issuer.sign({ exp });
  const first = await verifier.verify(token, sha256(token));
  assert.equal(verifier.verify(token, sha256(token)), first, "without a promise");
  assert.equal(first.principal && first.expiresAtMs, (exp + 5) * 1_000, "5 s for clocks that differ");
  t.mock.timers.enable({ apis: ["Date"], now: (exp + 5) * 1_000 });
  assert.equal((await verifier.decide(token)).principal, undefined);
  assert.equal((await verifier.decide(token)).principal, undefined, "nor when it is looked at anew");
});

test("a file of keys is read again when it changes, and what its old keys signed is not taken any more", async () => {
  const issuer = await testIssuer();
  await using file = await temporaryFile("keys.json", issuer.jwks());
  const { log, next } = logLines();
  const changed = Promise.withResolvers<void>();
  const source = await fileKeys(file.path, {
    log,
    intervalMs: 10,
    onChange() {
      verifier.forget();
      changed.resolve();
    },
  });
  const verifier = await verifierOf(source);
  const old = await issuer.sign();
  assert.ok((await verifier.decide(old)).principal);
  await file.replace("{}");
  assert.match(
    (await next("error")).problems?.[0] ?? "",
    /keys\.json holds no keys: expected a JSON Web Key Set/,
  );
  assert.ok((await verifier.decide(old)).principal, "a file that is wrong changes nothing");
  await issuer.changeKey("second");
  await file.replace(issuer.jwks());
  await changed.promise;
  assert.equal((await verifier.decide(old)).principal, undefined);
  assert.ok((await verifier.decide(await issuer.sign())).principal);
  source.close();
});

test("a file of keys that cannot be used is refused with the worker's start", async () => {
  await using file = await temporaryFile("keys.json", "s3cret");
  await assert.rejects(authKitchen({}, { principals: trusting(file.path) }), {
    name: "SettingsError",
    message: /AUTH_FILE: .*keys\.json holds no keys: expected a JSON Web Key Set, (?!.*s3cret)/,
  });
  await assert.rejects(authKitchen({}, { principals: trusting(join(file.directory, "none.json")) }), {
    name: "SettingsError",
    message: /AUTH_FILE: .*none\.json cannot be read/,
  });
});

describe("keys from a URL", () => {
  test("are fetched before the first call, and once for all that follow", async (t) => {
    const issuer = await testIssuer();
    await using server = await keyServer(issuer.jwks);
    const source = remoteKeys(new URL(server.url), { log: logLines().log, onChange() {} });
    t.after(() => source.close());
    const verifier = await verifierOf(source);
    const tokens = await Promise.all([1, 2, 3].map((jti) => issuer.sign({ jti: String(jti) })));
    const verdicts = await Promise.all(tokens.map(verifier.decide));
    assert.ok(verdicts.every(({ principal }) => principal));
    assert.equal(server.asked, 1);
  });

  test("that are away make no token good or bad; that is logged once, without the URL", async (t) => {
    t.mock.timers.enable({ apis: ["Date", "setInterval"], now: Date.now() });
    const issuer = await testIssuer();
    await using server = await keyServer(undefined);
    const { log, lines, next } = logLines();
    const source = remoteKeys(new URL(server.url), { log, onChange() {} });
    t.after(() => source.close());
    const verifier = await verifierOf(source);
    const token = await issuer.sign();
    for (let at = 0; at < 3; at += 1) {
      const verdict = await verifier.decide(token);
      assert.ok(!verdict.principal && verdict.undecided);
    }
    assert.equal(server.asked, 1, "and are not asked for again at once");
    server.answer = issuer.jwks;
    t.mock.timers.setTime(Date.now() + 5_000);
    assert.ok((await verifier.decide(token)).principal);
    assert.match((await next("warn")).msg, /cannot be fetched/);
    assert.match((await next("info")).msg, /can be fetched again/);
    assert.equal(lines.length, 2);
    assert.ok(!JSON.stringify(lines).includes("s3cret"));
  });

  test("that were known go on while they are away, for tokens of keys that are known", async (t) => {
    t.mock.timers.enable({ apis: ["Date", "setInterval"], now: Date.now() });
    const issuer = await testIssuer();
    await using server = await keyServer(issuer.jwks);
    const { log, next } = logLines();
    const source = remoteKeys(new URL(server.url), { log, onChange() {} });
    t.after(() => source.close());
    const verifier = await verifierOf(source);
    assert.ok((await verifier.decide(await issuer.sign({ jti: "1" }))).principal);
    server.answer = undefined;
    t.mock.timers.tick(10 * 60_000);
    await next("warn");
    assert.ok((await verifier.decide(await issuer.sign({ jti: "2" }))).principal);
    const unknown = await verifier.decide(await issuer.sign({ kid: "second" }));
    assert.ok(!unknown.principal && unknown.undecided, "a new key may be there by now: nobody can tell");
  });

  test("are asked for when a token names another, but not for everybody who makes one up", async (t) => {
    t.mock.timers.enable({ apis: ["Date", "setInterval"], now: Date.now() });
    const issuer = await testIssuer();
    await using server = await keyServer(issuer.jwks);
    let changes = 0;
    const onChange = () => {
      changes += 1;
    };
    const source = remoteKeys(new URL(server.url), { log: logLines().log, onChange });
    t.after(() => source.close());
    const verifier = await verifierOf(source);
    const old = await issuer.sign();
    assert.ok((await verifier.decide(old)).principal);
    for (let at = 0; at < 3; at += 1) {
      const verdict = await verifier.decide(await issuer.sign({ kid: `made-up-${at}` }));
      assert.ok(!verdict.principal && !verdict.undecided);
    }
    assert.equal(server.asked, 1);
    await issuer.changeKey("second");
    t.mock.timers.setTime(Date.now() + 30_000);
    assert.ok((await verifier.decide(await issuer.sign())).principal);
    assert.deepEqual([server.asked, changes], [2, 1]);
  });
});

test("a call that nobody can decide is UNAVAILABLE, and ends at its deadline while keys are waited for", async () => {
  const issuer = await testIssuer();
  await using away = await keyServer(undefined);
  await using kitchen = await authKitchen({}, { principals: trusting(away.url) });
  const headers: Metadata = bearer(await issuer.sign());
  await assert.rejects(
    kitchen.kinds.Cook(headers),
    failsWith(Code.Unavailable, /cannot be checked at the moment/),
  );

  await using hanging = await keyServer(() => new Promise(() => {}));
  await using slow = await authKitchen({}, { principals: trusting(hanging.url) });
  await assert.rejects(slow.client.cook({}, { headers, timeoutMs: 50 }), failsWith(Code.DeadlineExceeded));
});
