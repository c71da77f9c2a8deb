import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Admin } from "@gantry/proto/gantry/v1/admin_pb.js";
import { PolicySchema } from "@gantry/proto/gantry/v1/policy_pb.js";
import { ErrorInfoSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Health } from "@gantry/proto/grpc/health/v1/health_pb.js";
import { ServerReflection } from "@gantry/proto/grpc/reflection/v1/reflection_pb.js";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import { AuthStats } from "../src/auth/auth-stats.ts";
import { warnOpen } from "../src/auth/warn-open.ts";
import { createMetrics } from "../src/metrics/exposition.ts";
import { methodsOf } from "../src/pipeline.ts";
import { protoPolicy } from "../src/policy/policy.ts";
import { PolicyError } from "../src/policy/policy-error.ts";
import { parseSubject } from "../src/quota/subject.ts";
import { createTestWorker } from "../src/testing.ts";
import { ALICE, BOB, bearer, PRINCIPALS } from "./support/auth.ts";
import { all, failsWith } from "./support/in-process.ts";
import { Kitchen, kitchen } from "./support/kitchen.ts";
import { authKitchen } from "./support/kitchen-auth.ts";
import { logLines } from "./support/log-lines.ts";
import { shop } from "./support/shop.ts";
import { statsOf } from "./support/stats.ts";
import { temporaryFile } from "./support/temporary-file.ts";

const [alice, bob, mallory, nobody] = [
  bearer(ALICE.token),
  bearer(BOB.token),
  bearer("mallory"),
  new Metadata(),
];

test("scopes: a principal needs all of them, and is not told which it lacks", async () => {
  for (const [scopes, may] of [
    ["dishes.read", true],
    ["dishes.write, dishes.read", true],
    ["dishes.read, dishes.burn", false],
    ["dishes", false],
  ] as const) {
    await using kitchen = await authKitchen(
      {},
      { policies: { Cook: `{ access: { scopes: [${scopes}] } }` } },
    );
    if (may) {
      await kitchen.kinds.Cook(alice);
      continue;
    }
    await assert.rejects(kitchen.kinds.Cook(alice), (error) => {
      assert.ok(error instanceof RpcError);
      assert.equal(error.code, Code.PermissionDenied);
      assert.equal(error.message, "The caller may not call this method.");
      const [info] = error.details(ErrorInfoSchema);
      assert.deepEqual(
        [info?.reason, info?.domain, info?.metadata],
        ["PERMISSION_DENIED", "gantry", { method: "kitchen.v1.Kitchen/Cook" }],
      );
      return true;
    });
    const [line] = kitchen.lines.filter(({ msg }) => msg === "call");
    assert.deepEqual(
      [line?.code, line?.principal],
      ["PERMISSION_DENIED", "alice"],
      "who it was is in the log",
    );
  }
});

test("an open method asks nobody, not even who shows something bad", async () => {
  await using kitchen = await authKitchen(
    { cook: (_, call) => ({ name: String(call.principal) }) },
    { policies: { Cook: "{ access: { open: true } }" } },
  );
  for (const headers of [nobody, mallory, alice]) {
    assert.equal((await kitchen.kinds.Cook(headers)).name, "undefined");
  }
});

test("a handler is told who calls, and its log lines tell it too", async () => {
  await using kitchen = await authKitchen({
    cook(_, { principal, log }) {
      log.info("cooking");
      return { name: `${principal?.name} may ${principal?.scopes.join(" and ")}` };
    },
  });
  assert.equal((await kitchen.kinds.Cook(alice)).name, "alice may dishes.read and dishes.write");
  assert.equal(kitchen.lines.find(({ msg }) => msg === "cooking")?.principal, "alice");
});

test("a quota by principal counts each of them, whatever they show", async () => {
  const quota = "{ id: per-principal, subject: principal, limit: 2 }";
  await using kitchen = await authKitchen({}, { policies: { Cook: `{ quotas: [${quota}] }` } });
  await kitchen.kinds.Cook(alice);
  await kitchen.kinds.Cook(
    new Metadata([
      ["appid", ALICE.app.id],
      ["appkey", ALICE.app.key],
    ]),
  );
  await assert.rejects(
    kitchen.kinds.Cook(alice),
    failsWith(Code.ResourceExhausted, /for principal:alice: at most 2/),
  );
  await kitchen.kinds.Cook(bob);
});

test("a quota by principal on an open method counts strangers together, and does not take what is bad", async () => {
  const quota = "{ id: per-principal, subject: principal, limit: 1 }";
  const policy = `{ access: { open: true }, quotas: [${quota}] }`;
  await using kitchen = await authKitchen({}, { policies: { Cook: policy } });
  await kitchen.kinds.Cook(nobody);
  await assert.rejects(kitchen.kinds.Cook(nobody), failsWith(Code.ResourceExhausted));
  await assert.rejects(kitchen.kinds.Cook(mallory), failsWith(Code.Unauthenticated));
  await kitchen.kinds.Cook(alice);
});

test("a quota cannot count by what is a secret, for refusals tell their subject", () => {
  const { method } = shop();
  for (const key of ["authorization", "AppKey", "proxy-authorization", "cookie"]) {
    assert.throws(
      () => parseSubject(`metadata.${key}`, method("Buy"), "quota"),
      (error) => error instanceof PolicyError && /is a secret, which refusals would tell/.test(error.message),
    );
  }
});

test("health answers everybody; reflection and Admin answer any principal", async () => {
  await using file = await temporaryFile("auth.yaml", PRINCIPALS);
  await using worker = await createTestWorker({ services: [kitchen()], authFile: file.path });
  await worker.client(Health).check({});
  const list = [{ messageRequest: { case: "listServices", value: "" } }] as const;
  const reflect = (headers: Metadata) =>
    all(worker.client(ServerReflection).serverReflectionInfo(list, { headers }));
  await assert.rejects(reflect(nobody), failsWith(Code.Unauthenticated));
  assert.equal((await reflect(bob)).length, 1);
  await assert.rejects(worker.client(Admin).explain({}), failsWith(Code.Unauthenticated));
  const { methods } = await worker.client(Admin).explain({}, { headers: bob });
  assert.ok(methods[0]?.interceptors.join().includes("deadline,authenticate,shed"));
});

test("without a file everything is open, and no call is asked", async () => {
  await using worker = await createTestWorker({
    services: [kitchen({ cook: (_, call) => ({ name: call.principal?.name ?? "" }) })],
  });
  assert.equal((await worker.client(Kitchen).cook({}, { headers: mallory })).name, "");
  const { methods } = await worker.client(Admin).explain({});
  assert.ok(!methods[0]?.interceptors.includes("authenticate"));
});

test("that everything is open is warned of, with the methods that want scopes", () => {
  const { log, lines } = logLines();
  const methods = methodsOf(kitchen(), { inBand: false });
  const [cook, serve] = methods;
  assert.ok(cook && serve);
  cook.policy = { ...cook.policy, access: { open: false, scopes: ["a"] } };
  warnOpen(methods, log);
  assert.deepEqual(
    lines.map((line) => [line.level, Object(line).methods_that_want_scopes]),
    [["warn", ["kitchen.v1.Kitchen/Cook"]]],
  );
});

test("every decision is counted, and there at zero before the first", async () => {
  const stats = { ...statsOf(), auth: new AuthStats() };
  stats.auth.count("denied", "jwt");
  const { body } = await createMetrics(stats, { name: "kitchen", version: "1" })(undefined);
  const samples = body.split("\n").filter((line) => line.startsWith("gantry_auth_decisions_total{"));
  assert.equal(samples.length, 4 * 5);
  assert.deepEqual(
    samples.filter((line) => !line.endsWith(" 0")),
    ['gantry_auth_decisions_total{decision="denied",credential="jwt"} 1'],
  );
});

test("a policy that is open and has scopes, or scopes that are none, is refused", () => {
  const problems = (access: { open?: boolean; scopes?: string[] }) => {
    try {
      protoPolicy(shop({ Buy: create(PolicySchema, { access }) }).method("Buy"));
    } catch (error) {
      assert.ok(error instanceof PolicyError);
      return error.problems;
    }
    return [];
  };
  assert.deepEqual(problems({ open: true, scopes: ["two words"] }), [
    'shop.Shop/Buy: access: scope "two words": expected one word of printable ASCII',
    "shop.Shop/Buy: access is open and has scopes, which exclude each other: expected one of them",
  ]);
  assert.deepEqual(problems({}), []);
});
