import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { PolicySchema, Quota_Per } from "@gantry/proto/gantry/v1/policy_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { protoPolicy } from "../src/policy/policy.ts";
import { PolicyError } from "../src/policy/policy-error.ts";
import { shop } from "./support/shop.ts";

function declared(name: string, policy: MessageInitShape<typeof PolicySchema>) {
  return protoPolicy(shop({ [name]: create(PolicySchema, policy) }).method(name));
}

function problemsOf(name: string, policy: MessageInitShape<typeof PolicySchema>): readonly string[] {
  try {
    declared(name, policy);
  } catch (error) {
    assert.ok(error instanceof PolicyError);
    return error.problems;
  }
  return [];
}

test("a proto's timeouts and quotas are read, and known to come from it", () => {
  const { timeoutDefaultMs, timeoutMaxMs, quotas, sources } = protoPolicy(Greeter.method.sayHello);
  assert.deepEqual([timeoutDefaultMs, timeoutMaxMs], [2_000, 10_000]);
  assert.deepEqual(
    quotas.map(({ id, subject, limit, windowMs, per }) => ({
      id,
      subject: subject.source,
      limit,
      windowMs,
      per,
    })),
    [{ id: "greetings-per-name", subject: "request.name", limit: 60, windowMs: 60_000, per: "call" }],
  );
  assert.deepEqual(sources, {
    timeoutDefault: "proto",
    timeoutMax: "proto",
    quotas: "proto",
    access: "default",
  });
});

test("what a proto leaves out is the default, and known to be", () => {
  const { timeoutDefaultMs, timeoutMaxMs, quotas, sources } = protoPolicy(MathService.method.runningSum);
  assert.deepEqual([timeoutDefaultMs, timeoutMaxMs], [undefined, undefined]);
  assert.deepEqual(
    quotas.map(({ per }) => per),
    ["message"],
  );
  assert.deepEqual(sources, {
    timeoutDefault: "default",
    timeoutMax: "default",
    quotas: "proto",
    access: "default",
  });
  assert.deepEqual(protoPolicy(shop().method("Buy")).sources, {
    timeoutDefault: "default",
    timeoutMax: "default",
    quotas: "default",
    access: "default",
  });
});

test("every method of the reference services has a policy that can be held", () => {
  for (const method of [...Greeter.methods, ...MathService.methods]) protoPolicy(method);
});

test("what a proto says wrongly to clients is told when the worker starts", () => {
  assert.deepEqual(problemsOf("Buy", { retry: { maxAttempts: 0 }, hedging: {} }), [
    "shop.Shop/Buy: retry.max_attempts is 0: expected 1 to 5",
    "shop.Shop/Buy: hedging makes calls more than once: expected idempotency_level NO_SIDE_EFFECTS or IDEMPOTENT beside it",
    "shop.Shop/Buy: hedging has no delay: expected a duration of at least 1ms",
  ]);
});

test("a limit of 0 is a limit, and one that is left out is none", () => {
  assert.equal(declared("Buy", { quotas: [{ id: "closed", limit: 0 }] }).quotas[0]?.limit, 0);
  assert.deepEqual(problemsOf("Buy", { quotas: [{ id: "open" }] }), [
    'shop.Shop/Buy: quota "open" has no limit: expected a whole number from 0',
  ]);
});

test("everything that is wrong with a proto's policy is told at once, and where", () => {
  const problems = problemsOf("Buy", {
    timeout: { default: { seconds: 0n }, max: { seconds: -1n } },
    quotas: [
      { id: "Two Words", subject: "request.nmae", window: { nanos: 999_999 } },
      { id: "twice", limit: 1 },
      { id: "twice", limit: 1 },
    ],
  });
  assert.deepEqual(
    problems.map((problem) => problem.replace(/expected name, .*/, "expected …")),
    [
      "shop.Shop/Buy: timeout.default is 0ms: expected at least 1ms",
      "shop.Shop/Buy: timeout.max is -1000ms: expected at least 1ms",
      'shop.Shop/Buy: quota "Two Words": expected an id of lower-case words joined by hyphens',
      'shop.Shop/Buy: quota "Two Words" has no limit: expected a whole number from 0',
      'shop.Shop/Buy: quota "Two Words": window is 0.999999ms: expected at least 1ms',
      'shop.Shop/Buy: quota "Two Words": subject "request.nmae": shop.Order has no field "nmae": expected …',
      'shop.Shop/Buy: quota "twice" is declared twice',
    ],
  );
});

test("calls that stream their requests cannot be counted by a request field, their messages can", () => {
  const quota = { id: "per-name", subject: "request.name", limit: 1 };
  assert.deepEqual(problemsOf("BuyMany", { quotas: [quota] }), [
    'shop.Shop/BuyMany: quota "per-name" counts calls by request.name, but a call that streams its requests opens before the first of them: expected per: MESSAGE, or a subject other than a request field',
  ]);
  assert.equal(
    declared("BuyMany", { quotas: [{ ...quota, per: Quota_Per.MESSAGE }] }).quotas[0]?.per,
    "message",
  );
});
