import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, RpcError } from "@gantry/rpc";
import { createClient, type RetryBudget, retry, retryBudget } from "../src/index.ts";
import { HARMLESS, unavailable } from "./support/failing-kitchen.ts";
import { hastyTimers, kitchenWith } from "./support/kitchen-with.ts";
import { kitchenWorker } from "./support/worker.ts";

const { startTimer } = hastyTimers();

function fail(budget: RetryBudget, times: number): void {
  for (let time = 0; time < times; time += 1) budget.failed();
}

test("failures take a token each, and at half of them there are no more attempts", () => {
  const budget = retryBudget();
  fail(budget, 49);
  assert.ok(budget.allows());
  fail(budget, 1);
  assert.ok(!budget.allows());
});

test("ten successes make up for a failure, to the thousandth", () => {
  const budget = retryBudget();
  fail(budget, 51);
  for (let time = 0; time < 10; time += 1) budget.succeeded();
  assert.ok(!budget.allows(), "exactly half is left");
  budget.succeeded();
  assert.ok(budget.allows());
});

test("there are never more tokens than at first, nor fewer than none", () => {
  const budget = retryBudget({ maxTokens: 4, tokenRatio: 1 });
  budget.succeeded();
  fail(budget, 2);
  assert.ok(!budget.allows());
  fail(budget, 50);
  for (let time = 0; time < 3; time += 1) budget.succeeded();
  assert.ok(budget.allows());
});

test("a number that makes no budget is refused by its name", () => {
  for (const value of [0, -1, 1_001, Number.NaN]) {
    assert.throws(() => retryBudget({ maxTokens: value }), {
      name: "TypeError",
      message: `retryBudget() was given a maxTokens of ${value}: expected a number from 0.001 to 1000.`,
    });
  }
  assert.throws(() => retryBudget({ tokenRatio: 0 }), /a tokenRatio of 0/);
});

/** A worker that is out of order while a test says so; it counts what comes. */
async function outOfOrder() {
  const state = { out: true, attempts: 0 };
  const answer = () => {
    state.attempts += 1;
    if (state.out) throw unavailable();
    return {};
  };
  const worker = await kitchenWorker({ cook: answer, ping: answer });
  const service = kitchenWith({ Cook: HARMLESS, Ping: HARMLESS, Invent: HARMLESS });
  return { state, service, target: worker.target, [Symbol.asyncDispose]: () => worker.stop() };
}

test("an outage is not multiplied: when the budget is used up, each call is one attempt", async () => {
  await using server = await outOfOrder();
  await using kitchen = createClient(server.service, server.target, {
    interceptors: [retry({ startTimer, budget: retryBudget({ maxTokens: 10 }) })],
  });
  for (let call = 0; call < 100; call += 1) {
    await assert.rejects(kitchen.cook({}), { code: Code.Unavailable });
  }
  // Three attempts at the first call, two at the second.
  assert.equal(server.state.attempts, 103);
});

test("all methods of a client share the budget, and successes fill it again", async () => {
  await using server = await outOfOrder();
  await using kitchen = createClient(server.service, server.target, {
    interceptors: [retry({ startTimer, budget: retryBudget({ maxTokens: 10 }) })],
  });
  const attemptsAt = async (call: () => Promise<unknown>) => {
    const before = server.state.attempts;
    await call().catch(() => {});
    return server.state.attempts - before;
  };
  assert.equal(await attemptsAt(() => kitchen.cook({})), 3);
  assert.equal(await attemptsAt(() => kitchen.cook({})), 2);
  assert.equal(await attemptsAt(() => kitchen.ping({})), 1);
  server.state.out = false;
  for (let call = 0; call < 21; call += 1) await kitchen.ping({});
  server.state.out = true;
  assert.equal(await attemptsAt(() => kitchen.cook({})), 2);
});

test("a call that pauses is not repeated where others use the budget up meanwhile", async () => {
  await using server = await outOfOrder();
  const budget = retryBudget({ maxTokens: 10 });
  const pausing = (run: () => void) => {
    fail(budget, 5);
    setImmediate(run);
    return () => {};
  };
  await using kitchen = createClient(server.service, server.target, {
    interceptors: [retry({ budget, startTimer: pausing })],
  });
  await assert.rejects(kitchen.cook({}), { code: Code.Unavailable });
  assert.equal(server.state.attempts, 1);
});

test("failures that no attempt would mend take nothing from the budget", async () => {
  await using worker = await kitchenWorker({
    cook() {
      throw new RpcError(Code.NotFound, "no such dish");
    },
  });
  const budget = retryBudget({ maxTokens: 1 });
  await using kitchen = createClient(kitchenWith({ Cook: HARMLESS }), worker.target, {
    interceptors: [retry({ budget })],
  });
  for (let call = 0; call < 5; call += 1) await assert.rejects(kitchen.cook({}));
  assert.ok(budget.allows());
});

test("clients that are given one budget share it", async () => {
  await using server = await outOfOrder();
  const budget = retryBudget({ maxTokens: 10 });
  const options = () => ({ interceptors: [retry({ startTimer, budget })] });
  await using one = createClient(server.service, server.target, options());
  await using two = createClient(server.service, server.target, options());
  await assert.rejects(one.cook({}));
  await assert.rejects(one.cook({}));
  server.state.attempts = 0;
  await assert.rejects(two.cook({}));
  assert.equal(server.state.attempts, 1);
});
