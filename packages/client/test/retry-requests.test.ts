import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@gantry/rpc";
import { createClient, retry } from "../src/index.ts";
import { all } from "./support/all.ts";
import { endless } from "./support/endless.ts";
import { HARMLESS, unavailable } from "./support/failing-kitchen.ts";
import { hastyTimers, kitchenWith } from "./support/kitchen-with.ts";
import { type Kitchen, kitchenWorker } from "./support/worker.ts";

/** A worker whose streamed methods fail until their third attempt, after so many requests each. */
async function failingStreams(requestsRead: number) {
  const attempts: number[][] = [];
  async function* read(dishes: AsyncIterable<{ count: number }>) {
    const heard: number[] = [];
    attempts.push(heard);
    const fails = attempts.length < 3;
    if (fails && requestsRead === 0) throw unavailable();
    for await (const { count } of dishes) {
      heard.push(count);
      if (fails && heard.length === requestsRead) throw unavailable();
      yield count;
    }
  }
  const worker = await kitchenWorker({
    async collect(dishes) {
      let count = 0;
      for await (const each of read(dishes)) count += each;
      return { count };
    },
    async *chat(dishes) {
      const counts: number[] = [];
      for await (const each of read(dishes)) counts.push(each);
      for (const count of counts) yield { count };
    },
  });
  const { startTimer } = hastyTimers();
  const service = kitchenWith({ Collect: HARMLESS, Chat: HARMLESS });
  const kitchen = createClient(service, worker.target, { interceptors: [retry({ startTimer })] });
  return {
    /** What each attempt has brought. */
    attempts,
    kitchen,
    async [Symbol.asyncDispose]() {
      await kitchen.close();
      await worker.stop();
    },
  };
}

function* dishes(count: number) {
  for (let at = 1; at <= count; at += 1) yield { count: at };
}

for (const read of [0, 1, 3]) {
  test(`each attempt brings all requests from the first, where the one before failed after ${read}`, async () => {
    await using server = await failingStreams(read);
    assert.equal((await server.kitchen.collect(dishes(4))).count, 10);
    assert.deepEqual(server.attempts[2], [1, 2, 3, 4]);
    server.attempts.length = 0;
    assert.deepEqual(
      (await all(server.kitchen.chat(dishes(4)))).map(({ count }) => count),
      [1, 2, 3, 4],
    );
  });
}

test("the caller is asked for each request once, also for one that is made while an attempt fails", async () => {
  await using server = await failingStreams(1);
  let made = 0;
  async function* slow() {
    for (made = 1; made <= 3; made += 1) {
      yield { count: made };
      // The next one is asked for by the first attempt, and comes when that has failed.
      if (made === 1) while (server.attempts.length < 2) await new Promise(setImmediate);
    }
  }
  assert.equal((await server.kitchen.collect(slow())).count, 6);
  assert.deepEqual(server.attempts[2], [1, 2, 3]);
  assert.equal(made, 4);
});

test("an attempt that has failed takes no request from the one after it", async () => {
  let attempts = 0;
  await using worker = await kitchenWorker({
    async *chat(requests) {
      attempts += 1;
      for await (const request of requests) {
        if (attempts === 1) throw unavailable();
        yield request;
      }
    },
  });
  await using kitchen = createClient(kitchenWith({ Chat: HARMLESS }), worker.target, {
    interceptors: [retry()],
  });
  const answered = Promise.withResolvers<void>();
  async function* requests() {
    yield { count: 1 };
    await answered.promise;
    yield { count: 2 };
  }
  const counts: number[] = [];
  for await (const { count } of kitchen.chat(requests(), { timeoutMs: 5_000 })) {
    counts.push(count);
    answered.resolve();
  }
  assert.deepEqual([attempts, counts], [2, [1, 2]]);
});

test("a call whose requests have come to more than is kept is not repeated: 64 KiB, or 1,024", async () => {
  const big = { filling: new Uint8Array(40 * 1024) };
  for (const [requests, repeated] of [
    [[big], true],
    [[big, big], false],
    [Array.from({ length: 1_024 }, () => ({})), true],
    [Array.from({ length: 1_025 }, () => ({})), false],
  ] as const) {
    await using server = await failingStreams(requests.length);
    const outcome = server.kitchen.collect(requests);
    if (repeated) await outcome;
    else await assert.rejects(outcome, { code: Code.Unavailable });
    assert.equal(server.attempts.length, repeated ? 3 : 1);
  }
});

test("requests go on past what is kept, in their order, each once", async () => {
  await using worker = await kitchenWorker();
  const service: typeof Kitchen = kitchenWith({ Chat: HARMLESS });
  await using kitchen = createClient(service, worker.target, { interceptors: [retry()] });
  let at = 0;
  for await (const { count } of kitchen.chat(dishes(3_000))) assert.equal(count, ++at);
  assert.equal(at, 3_000);
  let sum = 0;
  async function* numbers() {
    for (const { count } of dishes(3_000)) {
      sum += count;
      yield { count };
    }
  }
  assert.equal((await kitchen.collect(numbers())).count, sum);
});

test("requests that break off break the call off, and it is not repeated", async () => {
  const policy = { retry: { codes: [Code.Cancelled] } };
  let attempts = 0;
  await using worker = await kitchenWorker({
    async collect(requests) {
      attempts += 1;
      for await (const _ of requests);
      return {};
    },
  });
  await using kitchen = createClient(kitchenWith({ Collect: { policy } }), worker.target, {
    interceptors: [retry()],
  });
  const cause = new Error("out of eggs");
  async function* broken() {
    yield {};
    while (attempts === 0) await new Promise(setImmediate);
    throw cause;
  }
  await assert.rejects(kitchen.collect(broken()), { code: Code.Cancelled, cause });
  assert.equal(attempts, 1);
});

test("the caller's requests are let go when the call is over, not when an attempt is", async () => {
  await using answering = await kitchenWorker({
    async collect(requests) {
      for await (const _ of requests) break;
      return { name: "enough" };
    },
    async *chat(requests) {
      for await (const _ of requests) break;
      yield { name: "enough" };
    },
  });
  const service = kitchenWith({ Collect: HARMLESS, Chat: HARMLESS });
  await using kitchen = createClient(service, answering.target, { interceptors: [retry()] });
  const collected = endless();
  assert.equal((await kitchen.collect(collected)).name, "enough");
  await collected.letGo;
  const chatted = endless();
  assert.equal((await all(kitchen.chat(chatted)))[0]?.name, "enough");
  await chatted.letGo;

  await using failing = await failingStreams(1);
  const repeated = endless();
  const call = failing.kitchen.collect(repeated, { timeoutMs: 300 });
  while (failing.attempts.length < 3) await new Promise(setImmediate);
  assert.equal(
    await Promise.race([repeated.letGo, new Promise((resolve) => setImmediate(resolve, "held"))]),
    "held",
  );
  await assert.rejects(call, { code: Code.DeadlineExceeded });
  await repeated.letGo;
});
