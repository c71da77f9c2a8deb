import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { create, toJson } from "@bufbuild/protobuf";
import { ExplainedMethodSchema } from "@gantry/proto/gantry/v1/admin_pb.js";
import { PolicySchema } from "@gantry/proto/gantry/v1/policy_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import type { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { Method } from "../src/method.ts";
import { protoPolicy } from "../src/policy/policy.ts";
import { PolicyError } from "../src/policy/policy-error.ts";
import { createPolicies } from "../src/policy/policy-store.ts";
import { createMemoryStore } from "../src/quota/memory-store.ts";
import { QuotaStats } from "../src/quota/quota-stats.ts";
import { manualClock } from "../src/testing.ts";
import { logLines } from "./support/log-lines.ts";
import { shop } from "./support/shop.ts";
import { temporaryFile } from "./support/temporary-file.ts";

const STAGES = [
  { name: "recover", inBand: true },
  { name: "quota", inBand: false },
];

function methodsOf(...services: (typeof Greeter | typeof MathService)[]): Method[] {
  return services.flatMap(({ methods }) =>
    methods.map((desc) => new Method(desc, protoPolicy(desc), { inBand: false })),
  );
}

async function policiesOf({
  methods = methodsOf(Greeter),
  file,
}: {
  methods?: Method[];
  file?: string;
} = {}) {
  const store = createMemoryStore({ clock: manualClock(), maxSubjects: 100 });
  const stats = new QuotaStats();
  const { log, lines, next } = logLines();
  const policies = await createPolicies({
    methods,
    file,
    quotaStore: store,
    stats,
    log,
    stages: STAGES,
    intervalMs: 10,
  });
  return {
    policies,
    stats,
    lines,
    next,
    method: (name: string) => {
      const found = methods.find((one) => one.desc.name === name);
      assert.ok(found);
      return found;
    },
    /** Whether one more call of this method and subject passes. */
    take: (method: Method, subject: string) =>
      store.take(method.policy.quotas.map((rule) => ({ rule, subject }))).allowed,
    [Symbol.dispose]: () => policies.close(),
  };
}

function fileWith(quotas: string, more = ""): string {
  return `methods:\n  greeter.v1.Greeter/SayHello:\n    quotas: [${quotas}]\n${more}`;
}

const ONCE = "{ id: greet-once, subject: request.name, limit: 1 }";

test("without a file the protos' policies are in force, and their quotas are known", async () => {
  using worker = await policiesOf();
  assert.deepEqual(
    [...worker.stats.entries()].map(([id, counts]) => [id, counts]),
    ["greetings-per-name", "replies-per-peer", "chat-messages-per-peer"].map((id) => [
      id,
      { allowed: 0, refused: 0 },
    ]),
  );
  assert.equal(worker.method("SayHello").policy.sources.quotas, "proto");
});

test("a file is in force from the start", async () => {
  await using file = await temporaryFile("policy.yaml", fileWith(ONCE));
  using worker = await policiesOf({ file: file.path });
  const sayHello = worker.method("SayHello");
  assert.equal(worker.take(sayHello, "七米"), true);
  assert.equal(worker.take(sayHello, "七米"), false);
  assert.ok([...worker.stats.entries()].some(([id]) => id === "greet-once"));
});

test("a file that is wrong, too large or not there at the start is an error with every reason", async () => {
  await using wrong = await temporaryFile("policy.yaml", fileWith("{ id: greet-once }", "method: 1\n"));
  await assert.rejects(policiesOf({ file: wrong.path }), (error) => {
    assert.ok(error instanceof PolicyError);
    assert.deepEqual(error.problems, [
      'policy.yaml:3: quota "greet-once" has no limit: expected a whole number from 0',
      'policy.yaml:4: the file has no field "method": expected methods',
    ]);
    return true;
  });
  await using large = await temporaryFile("policy.yaml", "#".repeat(1024 * 1024 + 1));
  await assert.rejects(
    policiesOf({ file: large.path }),
    /^PolicyError: POLICY_FILE: .* it has 1048577 bytes: expected at most 1048576$/,
  );
  await assert.rejects(
    policiesOf({ file: join(large.directory, "none.yaml") }),
    /^PolicyError: POLICY_FILE: .*ENOENT/,
  );
  await assert.rejects(
    policiesOf({ file: large.directory }),
    /^PolicyError: POLICY_FILE: .* it is not a file$/,
  );
});

test("a file that changes is in force for all methods, and quotas that stay as they were keep their counts", async () => {
  const replies = (limit: number) =>
    `  greeter.v1.Greeter/LotsOfReplies:\n    quotas: [{ id: replies, subject: peer, limit: ${limit} }]\n`;
  await using file = await temporaryFile("policy.yaml", fileWith(ONCE, replies(1)));
  using worker = await policiesOf({ file: file.path });
  const [sayHello, lotsOfReplies] = [worker.method("SayHello"), worker.method("LotsOfReplies")];
  await worker.next("info");
  assert.deepEqual([worker.take(sayHello, "七米"), worker.take(lotsOfReplies, "::1")], [true, true]);

  await file.replace(fileWith(`${ONCE}, { id: calls, limit: 5 }`, replies(2)));
  assert.match((await worker.next("info")).msg, /changed and is in force/);
  assert.equal(worker.take(sayHello, "七米"), false);
  assert.equal(worker.take(sayHello, "小明"), true);
  assert.deepEqual([worker.take(lotsOfReplies, "::1"), worker.take(lotsOfReplies, "::1")], [true, true]);
  assert.equal(worker.take(lotsOfReplies, "::1"), false);
  assert.ok([...worker.stats.entries()].some(([id]) => id === "calls"));
});

test("what a file no longer says is the proto's again, and its counts are forgotten", async () => {
  await using file = await temporaryFile("policy.yaml", fileWith(ONCE));
  using worker = await policiesOf({ file: file.path });
  const sayHello = worker.method("SayHello");
  await worker.next("info");
  worker.take(sayHello, "七米");
  await file.replace("methods: {}");
  await worker.next("info");
  const { quotas, sources } = sayHello.policy;
  assert.deepEqual([quotas[0]?.id, sources.quotas], ["greetings-per-name", "proto"]);
  await file.replace(fileWith(ONCE));
  await worker.next("info");
  assert.equal(worker.take(sayHello, "七米"), true);
});

test("a file that goes bad is refused and logged once with every reason; policy and counts stay", async () => {
  await using file = await temporaryFile("policy.yaml", fileWith(ONCE));
  using worker = await policiesOf({ file: file.path });
  const sayHello = worker.method("SayHello");
  const inForce = sayHello.policy;
  await worker.next("info");
  worker.take(sayHello, "七米");

  await file.replace(fileWith("{ id: Once, limit: 1 }, { id: twice, limit: few }"));
  const refused = await worker.next("error");
  assert.equal(refused.file, file.path);
  assert.deepEqual(refused.problems, [
    'policy.yaml:3: quota "Once": expected an id of lower-case words joined by hyphens',
    'policy.yaml:3: quotas[1].limit is "few": expected a whole number from 0 to 4294967295',
  ]);
  assert.equal(sayHello.policy, inForce);
  assert.equal(worker.take(sayHello, "七米"), false);

  await file.replace(fileWith(`${ONCE}, { id: calls, limit: 5 }`));
  await worker.next("info");
  assert.equal(worker.lines.filter(({ level }) => level === "error").length, 1);
  assert.equal(worker.take(sayHello, "七米"), false);
});

test("methods that share a quota have to give it one rule, in protos and in files", async () => {
  const quota = (limit: number) => create(PolicySchema, { quotas: [{ id: "shared", limit }] });
  const declaring = (...limits: [number, number]) => {
    const { service } = shop({ Buy: quota(limits[0]), Ping: quota(limits[1]) });
    return service.methods.map((desc) => new Method(desc, protoPolicy(desc), { inBand: false }));
  };
  using _agreeing = await policiesOf({ methods: declaring(2, 2) });
  await assert.rejects(policiesOf({ methods: declaring(2, 3) }), {
    name: "PolicyError",
    message:
      'quota "shared" is at most 2 calls for all callers together, for as long as the worker lives for shop.Shop/Buy (proto), but at most 3 calls for all callers together, for as long as the worker lives for shop.Shop/Ping (proto): expected one rule wherever the id is the same',
  });
  await using file = await temporaryFile(
    "policy.yaml",
    "methods:\n  shop.Shop/Ping: { quotas: [{ id: shared, limit: 3 }] }",
  );
  await assert.rejects(
    policiesOf({ methods: declaring(2, 2), file: file.path }),
    /shop\.Shop\/Buy \(proto\), but .* for shop\.Shop\/Ping \(policy\.yaml:2\)/,
  );
});

test("health, reflection and admin are no business of policy files", async () => {
  const methods = Greeter.methods.map(
    (desc) => new Method(desc, protoPolicy(desc), { inBand: desc.name === "SayHello" }),
  );
  await using file = await temporaryFile("policy.yaml", fileWith("{ id: closed, limit: 0 }"));
  await assert.rejects(
    policiesOf({ methods, file: file.path }),
    /there is no method "greeter\.v1\.Greeter\/SayHello"/,
  );
});

test("explains what is in force for each method, and where it came from", async () => {
  await using file = await temporaryFile(
    "policy.yaml",
    fileWith(`${ONCE}, { id: calls, limit: 5, window: 1m }`),
  );
  using worker = await policiesOf({ file: file.path });
  const explained = worker.policies.explain().map((one) => toJson(ExplainedMethodSchema, one));
  assert.equal(explained.length, 4);
  assert.deepEqual(explained[0], {
    method: "greeter.v1.Greeter/SayHello",
    policy: {
      timeout: { default: "2s", max: "10s" },
      quotas: [
        { id: "greet-once", subject: "request.name", limit: 1 },
        { id: "calls", limit: 5, window: "60s" },
      ],
      access: {},
    },
    sources: {
      "timeout.default": "proto",
      "timeout.max": "proto",
      quotas: "policy.yaml:3",
      access: "default",
    },
    interceptors: ["recover", "quota"],
  });
});

test("explains what the proto says to clients", async () => {
  const policy = create(PolicySchema, { retry: { maxAttempts: 5 } });
  const desc = shop({ Buy: policy }).method("Buy");
  using worker = await policiesOf({ methods: [new Method(desc, protoPolicy(desc), { inBand: false })] });
  const [explained] = worker.policies.explain();
  assert.deepEqual(explained?.policy?.retry, policy.retry);
  assert.equal(explained?.policy?.hedging, undefined);
  assert.deepEqual([explained?.sources.retry, explained?.sources.hedging], ["proto", undefined]);
});

test("explains that in-band methods pass only a part of the chain", async () => {
  const methods = Greeter.methods.map((desc) => new Method(desc, protoPolicy(desc), { inBand: true }));
  using worker = await policiesOf({ methods });
  assert.deepEqual(worker.policies.explain()[0]?.interceptors, ["recover"]);
});
