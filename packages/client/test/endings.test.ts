import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Code, type RpcError } from "@gantry/rpc";
import { createClient } from "../src/index.ts";
import { all } from "./support/all.ts";
import { endless } from "./support/endless.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

test("a call ends when its time is over, and the server is told how much it has", async () => {
  const deadlines: (number | undefined)[] = [];
  const handle = (deadline: number | undefined, signal: AbortSignal) => {
    deadlines.push(deadline);
    return once(signal, "abort").then(() => ({}));
  };
  await using worker = await kitchenWorker({
    cook: (_, { deadline, signal }) => handle(deadline, signal),
    async *serve(_, { deadline, signal }) {
      yield {};
      await handle(deadline, signal);
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  const before = Date.now();
  const late = { code: Code.DeadlineExceeded };
  await assert.rejects(kitchen.cook({}, { timeoutMs: 150 }), late);
  await assert.rejects(all(kitchen.serve({}, { timeoutMs: 150 })), late);
  assert.ok(Date.now() - before >= 300);
  assert.equal(deadlines.length, 2);
  for (const deadline of deadlines) assert.ok(deadline && deadline - before < 1_000, `${deadline}`);
});

test("a call whose time is over before it begins is not made", async () => {
  let calls = 0;
  await using worker = await kitchenWorker({
    cook() {
      calls += 1;
      return {};
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  await assert.rejects(kitchen.cook({}, { timeoutMs: 0 }), { code: Code.DeadlineExceeded });
  assert.equal(calls, 0);
});

test("a signal cancels a call, on the server too", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  await using worker = await kitchenWorker({
    async cook(_, { signal }) {
      controller.abort(reason);
      await once(signal, "abort");
      cancelled.resolve(signal.reason);
      return {};
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  await assert.rejects(kitchen.cook({}, { signal: controller.signal }), {
    code: Code.Cancelled,
    cause: reason,
  });
  assert.equal(((await cancelled.promise) as RpcError).code, Code.Cancelled);
  await assert.rejects(kitchen.ping({}, { signal: controller.signal }), { code: Code.Cancelled });
});

test("who leaves a stream before its end cancels the call", async () => {
  const cancelled = Promise.withResolvers<void>();
  await using worker = await kitchenWorker({
    async *serve(_, { signal }) {
      signal.addEventListener("abort", () => cancelled.resolve());
      for (let count = 1; ; count += 1) yield { count };
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  for await (const { count } of kitchen.serve({})) if (count === 2) break;
  await cancelled.promise;
});

test("a stream that nobody reads is no call", async () => {
  let calls = 0;
  await using worker = await kitchenWorker({
    async *serve(dish) {
      calls += 1;
      yield dish;
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  kitchen.serve({});
  await kitchen.ping({});
  assert.equal(calls, 0);
});

test("requests that break off break the call off, and their error is its cause", async () => {
  const begun = Promise.withResolvers<void>();
  const broken = Promise.withResolvers<void>();
  await using worker = await kitchenWorker({
    async collect(dishes, { signal }) {
      signal.addEventListener("abort", () => broken.resolve());
      for await (const _ of dishes) begun.resolve();
      await broken.promise;
      return {};
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  const cause = new Error("out of eggs");
  async function* dishes() {
    yield {};
    await begun.promise;
    throw cause;
  }
  await assert.rejects(kitchen.collect(dishes()), { code: Code.Cancelled, cause, message: /out of eggs/ });
  await broken.promise;
});

test("requests that are still to come are let go when the server has answered without them", async () => {
  await using worker = await kitchenWorker({
    async collect(dishes) {
      for await (const { count } of dishes) if (count === 1) break;
      return { name: "enough" };
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  const dishes = endless();
  assert.equal((await kitchen.collect(dishes)).name, "enough");
  await dishes.letGo;
});
