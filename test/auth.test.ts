/** Every credential, good and bad, in every kind of call, over every transport, against workers as anybody runs them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { credentials, status } from "@grpc/grpc-js";
import {
  ALICE,
  PRINCIPALS,
  sha256,
  type TestIssuer,
  testIssuer,
} from "../packages/worker/test/support/auth.ts";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import {
  type Authority,
  type CertificateFiles,
  certificateFiles,
  createAuthority,
} from "./support/certificates.ts";
import { statusIn } from "./support/error-details.ts";
import { connect, type Headers, type PlainClient, serviceOf } from "./support/plain-client.ts";
import { runToExit, type Settings, startWorker, type WorkerProcess } from "./support/worker-process.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
const math = serviceOf("math/v1/math.proto", "math.v1.Math");

const AUTH_FILE = `${PRINCIPALS}jwt:
  - { issuer: https://id.example, audience: gantry, jwks: keys.json }
`;
const { token: TOKEN, expiredToken: OLD_TOKEN, app } = ALICE;

const token = (text: string): Headers => ({ authorization: `Bearer ${text}` });
const appKey = (appid: string, appkey: string): Headers => ({ appid, appkey });

/** What a call shows, and who it makes of the caller; undefined: nobody. */
type Shown = readonly [what: string, headers: Headers, principal: string | undefined];

async function shownBy(issuer: TestIssuer): Promise<Shown[]> {
  const past = Math.floor(Date.now() / 1_000) - 60;
  return [
    ["a token", token(TOKEN), "alice"],
    ["a token that is not known", token("mallory-s-token"), undefined],
    ["a token that is past its time", token(OLD_TOKEN), undefined],
    ["an app's key", appKey("web", app.key), "alice"],
    ["an app's wrong key", appKey("web", "mallory-s-key"), undefined],
    ["another app", appKey("desk", app.key), undefined],
    ["a signed token", token(await issuer.sign()), "https://id.example#carol"],
    ["a signed token past its time", token(await issuer.sign({ exp: past })), undefined],
    ["a signed token for another audience", token(await issuer.sign({ aud: "other" })), undefined],
    ["a token that another signed", token(await (await testIssuer()).sign()), undefined],
    ["a bad token beside a good key", { ...token("mallory-s-token"), ...appKey("web", app.key) }, undefined],
  ];
}

/** A certificate of an address is checked by name alone. */
const byName = ({ address }: WorkerProcess) => address.replace("127.0.0.1", "localhost");

/** A call of each kind. */
const KINDS = {
  SayHello: { name: "七米" },
  LotsOfReplies: { name: "七米" },
  LotsOfGreetings: [{ name: "七" }, { name: "米" }],
  BidiHello: [{ name: "七" }, { name: "米" }],
} as const;

/** Makes a call of each kind with the headers of each row, and holds it to who it should be known as. */
async function holds(worker: WorkerProcess, client: PlainClient, rows: readonly Shown[]): Promise<void> {
  const calls = () => worker.logs.filter(({ msg }) => msg === "call");
  const before = calls().length;
  const expected: (string | undefined)[] = [];
  for (const [what, headers, principal] of rows) {
    for (const [method, requests] of Object.entries(KINDS)) {
      const { code, details, replies, trailers } = await client.call(method, requests, headers);
      expected.push(principal);
      if (principal !== undefined) {
        assert.equal(code, status.OK, `${what}, ${method}: ${details}`);
        continue;
      }
      assert.equal(code, status.UNAUTHENTICATED, `${what}, ${method}`);
      assert.deepEqual(replies, []);
      assert.equal(details, "The call does not show who makes it: its credentials are missing or not valid.");
      assert.deepEqual(statusIn(trailers).details, [
        { type: "google.rpc.ErrorInfo", reason: "UNAUTHENTICATED", domain: "gantry", metadata: {} },
      ]);
    }
  }
  await worker.logged(() => calls().length === before + expected.length);
  assert.deepEqual(
    calls()
      .slice(before)
      .map(({ principal }) => principal),
    expected,
  );
}

describe("over every transport", { concurrency: true }, () => {
  let files: CertificateFiles;
  let authority: Authority;
  let shown: readonly Shown[];
  let settings: Settings;
  let tls: Settings;

  before(async () => {
    const issuer = await testIssuer();
    authority = await createAuthority();
    const server = await authority.issue({ names: ["DNS:localhost", "IP:127.0.0.1"], usages: ["server"] });
    files = await certificateFiles({
      "auth.yaml": AUTH_FILE,
      "keys.json": issuer.jwks(),
      "ca.pem": authority.certificate,
      "server.pem": server.cert,
      "server.key": server.key,
    });
    shown = await shownBy(issuer);
    settings = { AUTH_FILE: files.path("auth.yaml") };
    tls = { ...settings, TLS_CERT: files.path("server.pem"), TLS_KEY: files.path("server.key") };
  });
  after(() => files[Symbol.asyncDispose]());

  const trusting = (pair?: { readonly cert: string; readonly key: string }) =>
    credentials.createSsl(
      Buffer.from(authority.certificate),
      pair ? Buffer.from(pair.key) : null,
      pair ? Buffer.from(pair.cert) : null,
    );

  test("plaintext: a call is who it shows to be, or nobody", async () => {
    await using worker = await startWorker("greeter", settings);
    using client = connect(worker.address, greeter);
    await holds(worker, client, [...shown, ["nothing", {}, undefined]]);
    const log = JSON.stringify(worker.logs);
    for (const secret of ["-s-token", "-s-key", "eyJ"]) assert.ok(!log.includes(secret), secret);
  });

  test("TLS: a call is who it shows to be, or nobody", async () => {
    await using worker = await startWorker("greeter", tls);
    using client = connect(byName(worker), greeter, trusting());
    await holds(worker, client, [...shown, ["nothing", {}, undefined]]);
  });

  test("mutual TLS: a call is who it shows to be, else who its certificate says, or nobody", async () => {
    await using worker = await startWorker("greeter", { ...tls, TLS_CLIENT_CA: files.path("ca.pem") });
    const known = await authority.issue({ names: ["DNS:alice.example"], usages: ["client"] });
    const unknown = await authority.issue({ names: ["DNS:mallory.example"], usages: ["client"] });
    for (const [pair, principal] of [
      [known, "alice"],
      [unknown, undefined],
    ] as const) {
      using client = connect(byName(worker), greeter, trusting(pair));
      await holds(worker, client, [...shown, ["its certificate alone", {}, principal]]);
    }
  });
});

test("an open method answers everybody; who lacks a scope is told so, and no more", async () => {
  await using auth = await temporaryFile("auth.yaml", PRINCIPALS);
  await using policy = await temporaryFile(
    "policy.yaml",
    "methods: { math.v1.Math/Sum: { access: { scopes: [numbers.add] } } }",
  );
  await using worker = await startWorker("math", { AUTH_FILE: auth.path, POLICY_FILE: policy.path });
  using client = connect(worker.address, math);
  assert.equal((await client.call("Version", {})).code, status.OK);
  assert.equal((await client.call("Divide", { dividend: 4, divisor: 2 })).code, status.UNAUTHENTICATED);
  const { code, details, trailers } = await client.call("Sum", { vals: [1] }, token(TOKEN));
  assert.deepEqual([code, details], [status.PERMISSION_DENIED, "The caller may not call this method."]);
  assert.deepEqual(statusIn(trailers).details, [
    {
      type: "google.rpc.ErrorInfo",
      reason: "PERMISSION_DENIED",
      domain: "gantry",
      metadata: { method: "math.v1.Math/Sum" },
    },
  ]);
  const metrics = await (await fetch(`${worker.admin}/metrics`)).text();
  assert.match(metrics, /^gantry_auth_decisions_total\{decision="unauthenticated",credential="none"\} 1$/m);
  assert.match(metrics, /^gantry_auth_decisions_total\{decision="denied",credential="token"\} 1$/m);
  assert.match(metrics, /^gantry_auth_decisions_total\{decision="allowed",credential="jwt"\} 0$/m);
});

test("a principal that is added is known without a new start; a file that is wrong changes nothing", async () => {
  await using file = await temporaryFile("auth.yaml", "principals: []");
  await using worker = await startWorker("greeter", { AUTH_FILE: file.path });
  using client = connect(worker.address, greeter);
  const code = async () => (await client.call("SayHello", { name: "七米" }, token(TOKEN))).code;
  assert.equal(await code(), status.UNAUTHENTICATED);
  await file.replace(`principals: [{ name: alice, tokens: [{ sha256: "${sha256(TOKEN)}" }] }]`);
  await worker.logged(({ msg }) => msg === "the file of principals changed and is in force");
  assert.equal(await code(), status.OK);
  await file.replace(`principals: [{ name: alice, token: ${TOKEN} }]`);
  const { problems } = await worker.logged(({ level }) => level === "error");
  assert.deepEqual(problems, [
    "auth.yaml:1: principals[0] has a field that is not known: expected one of name, scopes, tokens, apps, certificates",
  ]);
  assert.equal(await code(), status.OK);
  await file.replace("principals: []");
  const inForce = "the file of principals changed and is in force";
  await worker.logged(
    (line) => line.msg === inForce && worker.logs.filter(({ msg }) => msg === inForce).length === 2,
  );
  assert.equal(await code(), status.UNAUTHENTICATED, "who is taken out is not known any more");
});

test("a file that is wrong stops the start, with every line that is", async () => {
  await using file = await temporaryFile(
    "auth.yaml",
    `principals:\n  - name: alice\n    tokens: [${TOKEN}]\n    key: 1\n`,
  );
  const { code, stderr } = await runToExit("greeter", { AUTH_FILE: file.path });
  assert.equal(code, 78);
  assert.deepEqual(stderr.split("\n"), [
    "greeter did not start. 2 settings are wrong:",
    "  AUTH_FILE: auth.yaml:3: principals[0].tokens[0] is another value: expected a mapping with sha256, expires.",
    "  AUTH_FILE: auth.yaml:4: principals[0] has a field that is not known: expected one of name, scopes, tokens, apps, certificates.",
  ]);
});

test("without a file, the worker says once that anybody may call", async () => {
  await using worker = await startWorker("greeter");
  using client = connect(worker.address, greeter);
  assert.equal((await client.call("SayHello", { name: "七米" }, token("mallory-s-token"))).code, status.OK);
  const warnings = worker.logs.filter(({ level }) => level === "warn").map(({ msg }) => msg);
  assert.equal(warnings.length, 1);
  assert.match(String(warnings[0]), /^AUTH_FILE is not set: ANYBODY MAY CALL EVERY METHOD/);
});
