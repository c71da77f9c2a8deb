import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ErrorInfoSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Code, RpcError } from "@gantry/rpc";
import { readAuthFile } from "../src/auth/auth-file.ts";
import { createAuthenticator } from "../src/auth/authenticator.ts";
import { ALICE, BOB, PRINCIPALS } from "./support/auth.ts";
import { callOf, methodOf } from "./support/calls.ts";
import { Kitchen } from "./support/kitchen.ts";
import { authKitchen, headersOf } from "./support/kitchen-auth.ts";

const { app } = ALICE;
const LONG = "x".repeat(8 * 1024 + 1);

const GOOD: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "a token": { authorization: `Bearer ${ALICE.token}` },
  "a token, by a scheme in small letters": { authorization: `bearer   ${ALICE.token}` },
  "an app's id and key": { appid: app.id, appkey: app.key },
};

const BAD: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  nothing: {},
  "a token that is not known": { authorization: "Bearer mallory" },
  "a token that is past its time": { authorization: `Bearer ${ALICE.expiredToken}` },
  "a token with something behind it": { authorization: `Bearer ${ALICE.token}x` },
  "the digest of a token": {
    authorization: "Bearer 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
  },
  "a token without its scheme": { authorization: ALICE.token },
  "another scheme": { authorization: `Basic ${Buffer.from(`alice:${ALICE.token}`).toString("base64")}` },
  "a scheme alone": { authorization: "Bearer" },
  "a token as long as nobody gives": { authorization: `Bearer ${LONG}` },
  "a signed token, where no issuer is known": {
    authorization: "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln",
  },
  "an app's other key": { appid: app.id, appkey: "mallory" },
  "an app's key that is past its time": { appid: app.id, appkey: app.expiredKey },
  "another app": { appid: "desk", appkey: app.key },
  "an app's id alone": { appid: app.id },
  "an app's key alone": { appkey: app.key },
  "an app's key as long as nobody gives": { appid: app.id, appkey: LONG },
  "a bad token beside a good key": { authorization: "Bearer mallory", appid: app.id, appkey: app.key },
};

describe("for every kind of call", () => {
  for (const kind of ["Cook", "Serve", "Collect", "Chat"] as const) {
    test(`${kind}: who shows something good is let in as who they are`, async () => {
      await using kitchen = await authKitchen();
      for (const [what, headers] of Object.entries(GOOD)) {
        await assert.doesNotReject(kitchen.kinds[kind](headersOf(headers)), what);
      }
      const principals = kitchen.lines.filter(({ msg }) => msg === "call").map(({ principal }) => principal);
      assert.deepEqual(
        principals,
        Object.keys(GOOD).map(() => "alice"),
      );
    });

    test(`${kind}: everybody else is told the same, and the handler nothing`, async () => {
      const handled = () => assert.fail("the handler was called");
      await using kitchen = await authKitchen({
        cook: handled,
        serve: handled,
        collect: handled,
        chat: handled,
      });
      for (const [what, headers] of Object.entries(BAD)) {
        await assert.rejects(kitchen.kinds[kind](headersOf(headers)), (error) => {
          assert.ok(error instanceof RpcError, String(error));
          assert.equal(error.code, Code.Unauthenticated, what);
          assert.equal(
            error.message,
            "The call does not show who makes it: its credentials are missing or not valid.",
          );
          const [info, ...others] = error.details(ErrorInfoSchema);
          assert.deepEqual(others, []);
          assert.deepEqual([info?.reason, info?.domain, info?.metadata], ["UNAUTHENTICATED", "gantry", {}]);
          return true;
        });
      }
    });
  }
});

test("no secret is in the log, whatever its level", async () => {
  await using kitchen = await authKitchen();
  for (const headers of Object.values({ ...GOOD, ...BAD })) {
    await kitchen.kinds.Cook(headersOf(headers)).catch(() => undefined);
  }
  const log = JSON.stringify(kitchen.lines);
  for (const secret of [ALICE.token, ALICE.expiredToken, app.key, app.expiredKey, "mallory"]) {
    assert.ok(!log.includes(secret), secret);
  }
  const reasons = kitchen.lines.filter(({ msg }) => msg === "not authenticated").map(({ reason }) => reason);
  assert.equal(reasons.length, Object.keys(BAD).length, "but why each was refused is there");
  assert.ok(reasons.includes("the token is past its time"));
});

test("of headers that came twice, none is good", async () => {
  await using kitchen = await authKitchen();
  const twice = headersOf({ authorization: `Bearer ${ALICE.token}` }).append(
    "authorization",
    "Bearer mallory",
  );
  await assert.rejects(kitchen.kinds.Cook(twice), { code: Code.Unauthenticated });
});

const authenticator = createAuthenticator(await readAuthFile("auth.yaml", PRINCIPALS), undefined);
const method = methodOf(Kitchen.method.cook, []);

test("a connection that a token came by before is asked for it each time anew", () => {
  const connection = {};
  const by = (token: string, on: object = connection) => {
    const headers = headersOf({ authorization: `Bearer ${token}` });
    const verdict = authenticator.authenticate(callOf(method, { connection: on, headers }));
    return "principal" in verdict ? verdict.principal?.name : assert.fail("tokens are known at once");
  };
  assert.equal(by(ALICE.token), "alice");
  assert.equal(by(ALICE.token), "alice");
  assert.equal(by(ALICE.token.replace("a", "b")), undefined);
  assert.equal(by(`${ALICE.token}x`), undefined);
  assert.equal(by(BOB.token), "bob");
  assert.equal(by(ALICE.token), "alice");
  assert.equal(by("mallory", {}), undefined);
});

describe("certificates", () => {
  const shown = async (certificateNames: readonly string[], headers = {}) => {
    const call = callOf(method, { certificateNames, headers: headersOf(headers) });
    const { credential, principal } = await authenticator.authenticate(call);
    return [credential, principal?.name];
  };

  test("show who calls by any name that is known, of its own kind", async () => {
    assert.deepEqual(await shown(["CN:other", "DNS:alice.example"]), ["certificate", "alice"]);
    assert.deepEqual(await shown(["CN:alice", "DNS:alice.example"]), ["certificate", "alice"]);
    assert.deepEqual(await shown(["URI:alice.example", "CN:alice.example"]), ["none", undefined]);
  });

  test("with names of two principals show neither", async () => {
    assert.deepEqual(await shown(["CN:alice", "DNS:bob.example"]), ["certificate", undefined]);
  });

  test("come after what the call itself shows", async () => {
    const names = ["DNS:alice.example"];
    assert.deepEqual(await shown(names, { authorization: `Bearer ${BOB.token}` }), ["token", "bob"]);
    assert.deepEqual(await shown(names, { authorization: "Bearer mallory" }), ["token", undefined]);
  });
});
