import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@gantry/rpc";
import { createClient, retry } from "../src/index.ts";
import { failingKitchen, failure, HARMLESS, unavailable } from "./support/failing-kitchen.ts";
import { kitchenWith } from "./support/kitchen-with.ts";
import { kitchenWorker } from "./support/worker.ts";

test("RetryInfo makes a pause longer, never shorter", async () => {
  const errors = [unavailable("busy", { retryAfterMs: 400 }), unavailable("busy", { retryAfterMs: 7 })];
  await using server = await failingKitchen(HARMLESS, errors);
  await server.kitchen.cook({});
  assert.deepEqual(server.delays, [400, 100]);
});

for (const [what, wish] of [
  ["RetryInfo", { retryAfterMs: 5_000 }],
  ["a pushback", { pushback: "5000" }],
] as const) {
  test(`where ${what} leaves no time before the deadline, the call fails at once with what it got`, async () => {
    await using server = await failingKitchen(HARMLESS, [unavailable("later", wish)]);
    await assert.rejects(server.kitchen.cook({}, { timeoutMs: 4_000 }), { message: "later" });
    assert.deepEqual(server.delays, []);
  });
}

test("a pause of the client's own that leaves no time before the deadline is not made either", async () => {
  const slow = { retry: { initialBackoff: { seconds: 60n } } };
  await using server = await failingKitchen({ ...HARMLESS, policy: slow }, [unavailable("busy")]);
  await assert.rejects(server.kitchen.cook({}, { timeoutMs: 30_000 }), { message: "busy" });
  assert.deepEqual(server.delays, []);
});

test("a pause that no timer could make is none: the call fails at once", async () => {
  const errors = [unavailable("next year", { retryAfterMs: 365 * 86_400_000 })];
  await using server = await failingKitchen(HARMLESS, errors);
  await assert.rejects(server.kitchen.cook({}), { message: "next year" });
});

test("RESOURCE_EXHAUSTED is repeated only where the policy lists it, RetryInfo or not", async () => {
  const exhausted = () => failure(Code.ResourceExhausted, "over quota", { retryAfterMs: 10 });
  await using unlisted = await failingKitchen(HARMLESS, [exhausted()]);
  await assert.rejects(unlisted.kitchen.cook({}), { code: Code.ResourceExhausted });
  const policy = { retry: { codes: [Code.ResourceExhausted] } };
  await using listed = await failingKitchen({ ...HARMLESS, policy }, [exhausted()]);
  await listed.kitchen.cook({});
  assert.deepEqual(listed.delays, [50]);
});

test("a pushback is waited for as it is, and the client's own pauses begin anew after it", async () => {
  const policy = { retry: { maxAttempts: 5 } };
  const errors = [unavailable(), unavailable(), unavailable("busy", { pushback: "7" }), unavailable()];
  await using server = await failingKitchen({ ...HARMLESS, policy }, errors);
  await server.kitchen.cook({});
  assert.deepEqual(server.delays, [50, 100, 7, 50]);
});

test("a pushback of 0 means at once", async () => {
  await using server = await failingKitchen(HARMLESS, [unavailable("busy", { pushback: "0" })]);
  await server.kitchen.cook({});
  assert.deepEqual(server.delays, [0]);
});

test("where RetryInfo and a pushback disagree, both are obeyed", async () => {
  const errors = [unavailable("busy", { pushback: "7", retryAfterMs: 20 })];
  await using server = await failingKitchen(HARMLESS, errors);
  await server.kitchen.cook({});
  assert.deepEqual(server.delays, [20]);
});

for (const pushback of ["-1", "soon", "", "1.5"]) {
  test(`a pushback of ${JSON.stringify(pushback)} forbids another attempt`, async () => {
    await using server = await failingKitchen(HARMLESS, [unavailable("no", { pushback })]);
    await assert.rejects(server.kitchen.cook({}), { message: "no" });
    assert.equal(server.attempts.length, 1);
  });
}

test("a call that is cancelled while it pauses ends at once, and is not repeated", async () => {
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  let stopped = 0;
  const startTimer = () => {
    queueMicrotask(() => controller.abort(reason));
    return () => {
      stopped += 1;
    };
  };
  await using server = await failingKitchen(HARMLESS, [unavailable()], { startTimer });
  await assert.rejects(server.kitchen.cook({}, { signal: controller.signal }), {
    code: Code.Cancelled,
    cause: reason,
  });
  assert.equal(stopped, 1);
  assert.equal(server.attempts.length, 1);
});

test("a call that pauses keeps its deadline", async () => {
  await using server = await failingKitchen(HARMLESS, [unavailable()], { startTimer: () => () => {} });
  await assert.rejects(server.kitchen.cook({}, { timeoutMs: 150 }), { code: Code.DeadlineExceeded });
  assert.equal(server.attempts.length, 1);
});

test("each attempt is held to the deadline of the call", async () => {
  const deadlines: (number | undefined)[] = [];
  await using worker = await kitchenWorker({
    cook(_, { deadline }) {
      deadlines.push(deadline);
      throw unavailable();
    },
  });
  await using kitchen = createClient(kitchenWith({ Cook: HARMLESS }), worker.target, {
    interceptors: [retry()],
  });
  const before = Date.now();
  await assert.rejects(kitchen.cook({}, { timeoutMs: 5_000 }), { code: Code.Unavailable });
  assert.equal(deadlines.length, 3);
  for (const deadline of deadlines) assert.ok(deadline && Math.abs(deadline - before - 5_000) < 200);
});
