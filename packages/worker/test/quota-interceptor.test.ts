import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Greeter, HelloRequestSchema, HelloResponseSchema } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code } from "@gantry/rpc";
import type { Next } from "../src/interceptor.ts";
import { quota } from "../src/interceptors/quota.ts";
import { createMemoryStore } from "../src/quota/memory-store.ts";
import { QuotaStats } from "../src/quota/quota-stats.ts";
import type { QuotaStore } from "../src/quota/store.ts";
import { manualClock } from "../src/testing.ts";
import { callOf, methodOf, ruleOf } from "./support/calls.ts";

const desc = Greeter.method.sayHello;
const request = create(HelloRequestSchema, { name: "七米" });
const response = create(HelloResponseSchema, { reply: "Hello 七米" });
const handler: Next = async () => response;

/** A store whose calls are counted. */
function countedStore() {
  const memory = createMemoryStore({ clock: manualClock(), maxSubjects: 10 });
  const takes: string[][] = [];
  const store: QuotaStore = {
    ...memory,
    take(charges) {
      takes.push(charges.map(({ rule, subject }) => `${rule.id} ${subject}`));
      return memory.take(charges);
    },
  };
  return { store, takes };
}

/** The same decisions, but told later: as a store elsewhere tells them. */
function remoteStore(): QuotaStore {
  const memory = createMemoryStore({ clock: manualClock(), maxSubjects: 10 });
  return { ...memory, take: async (charges) => memory.take(charges) };
}

test("a method without quotas asks the store nothing", async () => {
  const { store, takes } = countedStore();
  const method = methodOf(desc, []);
  const run = quota(store, new QuotaStats())(handler, method);
  assert.equal(await run(callOf(method, { request })), response);
  assert.deepEqual(takes, []);
});

test("all quotas of a call are one question to the store", async () => {
  const { store, takes } = countedStore();
  const method = methodOf(desc, [
    ruleOf(desc, { id: "a", subject: "request.name" }),
    ruleOf(desc, { id: "b", subject: "peer" }),
  ]);
  await quota(store, new QuotaStats())(handler, method)(callOf(method, { request }));
  assert.deepEqual(takes, [["a 七米", "b 127.0.0.1"]]);
});

test("health, reflection and admin are exempt, whatever their policy says", async () => {
  const { store } = countedStore();
  const method = methodOf(desc, [ruleOf(desc, { limit: 0 })], { inBand: true });
  assert.equal(quota(store, new QuotaStats())(handler, method), handler);
});

test("a refused call does not reach its handler, and knows the quota that refused it", async () => {
  const { store } = countedStore();
  const method = methodOf(desc, [
    ruleOf(desc, { id: "wide", limit: 9 }),
    ruleOf(desc, { id: "closed", limit: 0 }),
  ]);
  const unreachable: Next = async () => assert.fail("the handler ran");
  const call = callOf(method, { request });
  await assert.rejects(async () => quota(store, new QuotaStats())(unreachable, method)(call), {
    code: Code.ResourceExhausted,
  });
  assert.equal(call.refusedBy, "closed");
});

test("a store in memory costs a call no wait", async () => {
  const { store } = countedStore();
  const method = methodOf(desc, [ruleOf(desc, {})]);
  let reached = false;
  const run = quota(store, new QuotaStats())(async () => {
    reached = true;
    return response;
  }, method);
  const running = run(callOf(method, { request }));
  assert.equal(reached, true);
  await running;
});

test("a store elsewhere is waited for, and its refusal holds", async () => {
  const method = methodOf(desc, [ruleOf(desc, { limit: 2 })]);
  const run = quota(remoteStore(), new QuotaStats())(handler, method);
  const call = callOf(method, { request });
  assert.equal(await run(call), response);
  assert.equal(call.trailers.get("ratelimit-remaining"), "1");
  await run(callOf(method, { request }));
  await assert.rejects(async () => run(callOf(method, { request })), { code: Code.ResourceExhausted });
});

test("a store elsewhere is asked for each message of a stream too", async () => {
  const streaming = Greeter.method.lotsOfGreetings;
  const method = methodOf(streaming, [ruleOf(streaming, { limit: 2, per: "message" })]);
  const taken: unknown[] = [];
  const run = quota(remoteStore(), new QuotaStats())(async ({ requests }) => {
    for await (const message of requests ?? []) taken.push(message);
    return response;
  }, method);
  const call = callOf(method, { requests: stream(request, request, request) });
  await assert.rejects(async () => run(call), { code: Code.ResourceExhausted });
  assert.equal(taken.length, 2);
  assert.equal(call.failure?.code, Code.ResourceExhausted);
});

test("decisions are counted by quota: all that let a call pass, or those that did not", async () => {
  const { store } = countedStore();
  const stats = new QuotaStats();
  const method = methodOf(desc, [
    ruleOf(desc, { id: "wide", limit: 9 }),
    ruleOf(desc, { id: "narrow", limit: 2 }),
  ]);
  const run = quota(store, stats)(handler, method);
  for (let call = 0; call < 5; call += 1) {
    await Promise.try(run, callOf(method, { request })).catch(() => {});
  }
  assert.deepEqual(
    [...stats.entries()],
    [
      ["wide", { allowed: 2, refused: 0 }],
      ["narrow", { allowed: 2, refused: 3 }],
    ],
  );
});

test("a policy that is replaced holds from the next call on", async () => {
  const { store } = countedStore();
  const method = methodOf(desc, [ruleOf(desc, { id: "before", limit: 0 })]);
  const run = quota(store, new QuotaStats())(handler, method);
  await assert.rejects(async () => run(callOf(method, { request })), { code: Code.ResourceExhausted });
  method.policy = { ...method.policy, quotas: [] };
  assert.equal(await run(callOf(method, { request })), response);
});

test("a policy that is replaced holds for the messages still to come of a stream that is open", async () => {
  const streaming = Greeter.method.lotsOfGreetings;
  const { store } = countedStore();
  const method = methodOf(streaming, [ruleOf(streaming, { limit: 9, per: "message" })]);
  const closed = {
    ...method.policy,
    quotas: [ruleOf(streaming, { id: "closed", limit: 0, per: "message" })],
  };
  let taken = 0;
  const run = quota(store, new QuotaStats())(async ({ requests }) => {
    for await (const _message of requests ?? []) {
      taken += 1;
      if (taken === 2) method.policy = closed;
    }
    return response;
  }, method);
  const call = callOf(method, { requests: stream(request, request, request) });
  await assert.rejects(async () => run(call), { code: Code.ResourceExhausted });
  assert.deepEqual([taken, call.refusedBy], [2, "closed"]);
});

async function* stream(...messages: (typeof request)[]) {
  yield* messages;
}
