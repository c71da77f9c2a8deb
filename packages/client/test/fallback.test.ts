import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code, codeName, type Metadata, RpcError } from "@gantry/rpc";
import {
  createClient,
  type FallbackEvent,
  type FallbackOptions,
  fallback,
  type StandIns,
} from "../src/index.ts";
import { all } from "./support/all.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

const down = new RpcError(Code.Unavailable, "the kitchen is closed");

/** A kitchen that fails every call with the error. */
function closedKitchen(error: RpcError) {
  const fail = (): never => {
    throw error;
  };
  return kitchenWorker({ cook: fail, serve: fail, collect: fail, chat: fail });
}

/** A client with a fallback; the marks of the answers, and what was counted. */
function withFallback(target: string, standIns: StandIns<typeof Kitchen>, options: FallbackOptions = {}) {
  const marks: (string | undefined)[] = [];
  const events: FallbackEvent[] = [];
  const onFallback = (event: FallbackEvent) => void events.push(event);
  const kitchen = createClient(Kitchen, target, {
    interceptors: [fallback(Kitchen, standIns, { onFallback, ...options })],
  });
  const onHeaders = (headers: Metadata) => void marks.push(headers.get("gantry-fallback"));
  return { kitchen, marks, events, onHeaders, [Symbol.asyncDispose]: () => kitchen.close() };
}

const counts = (dishes: { count: number }[]) => dishes.map(({ count }) => count);

test("data stands in for every kind of call, is marked and counted", async () => {
  await using worker = await closedKitchen(down);
  const standIns = {
    cook: { count: 1 },
    serve: [{ count: 2 }, { count: 3 }],
    collect: { count: 4 },
    chat: [{}],
  };
  await using client = withFallback(worker.target, standIns);
  const { kitchen, marks, events, onHeaders } = client;
  assert.equal((await kitchen.cook({}, { onHeaders })).count, 1);
  assert.deepEqual(counts(await all(kitchen.serve({}, { onHeaders }))), [2, 3]);
  assert.equal((await kitchen.collect([{}], { onHeaders })).count, 4);
  assert.equal((await all(kitchen.chat([{}], { onHeaders }))).length, 1);
  assert.deepEqual(marks, Array(4).fill("UNAVAILABLE"));
  assert.deepEqual(
    events.map(({ method, error }) => [method.name, codeName(error.code), error.message]),
    ["Cook", "Serve", "Collect", "Chat"].map((name) => [name, "UNAVAILABLE", down.message]),
  );
});

test("a function stands in with what it makes of the call and its error", async () => {
  await using worker = await closedKitchen(down);
  await using client = withFallback(worker.target, {
    cook: async ({ request, target }, { message }) => ({ name: `${request.name}: ${message} at ${target}` }),
    async *serve({ request }) {
      yield { count: request.count };
      yield { count: request.count + 1 };
    },
  });
  const { kitchen } = client;
  assert.equal(
    (await kitchen.cook({ name: "soup" })).name,
    `soup: the kitchen is closed at ${worker.target}`,
  );
  assert.deepEqual(counts(await all(kitchen.serve({ count: 5 }))), [5, 6]);
});

test("where a function has no answer the call fails as it did, and is not counted", async () => {
  await using worker = await closedKitchen(down);
  await using client = withFallback(worker.target, { cook: () => undefined, serve: async () => undefined });
  await assert.rejects(client.kitchen.cook({}), { code: Code.Unavailable, message: down.message });
  await assert.rejects(all(client.kitchen.serve({})), { code: Code.Unavailable, message: down.message });
  assert.deepEqual(client.events, []);
});

test("an error that stands in is what the call fails with", async () => {
  await using worker = await closedKitchen(down);
  await using client = withFallback(worker.target, { cook: new RpcError(Code.NotFound, "no soup today") });
  await assert.rejects(client.kitchen.cook({}), { code: Code.NotFound, message: "no soup today" });
  assert.deepEqual(client.events, []);
});

test("what answers is left alone, and so are other statuses, methods and services", async () => {
  const standIns = { cook: { name: "stand-in" } };
  {
    await using worker = await kitchenWorker();
    await using client = withFallback(worker.target, standIns);
    assert.equal((await client.kitchen.cook({ name: "soup" }, { onHeaders: client.onHeaders })).name, "soup");
    assert.deepEqual(client.marks, [undefined]);
  }
  {
    await using worker = await closedKitchen(new RpcError(Code.Internal, "a pan fell"));
    await using client = withFallback(worker.target, standIns);
    await assert.rejects(client.kitchen.cook({}), { code: Code.Internal });
  }
  await using worker = await closedKitchen(down);
  await using client = withFallback(worker.target, standIns);
  await assert.rejects(all(client.kitchen.serve({})), { code: Code.Unavailable });
  const greeter = fallback(Greeter, { sayHello: { reply: "stand-in" } });
  await using kitchen = createClient(Kitchen, worker.target, { interceptors: [greeter] });
  await assert.rejects(kitchen.cook({}), { code: Code.Unavailable });
});

test("the statuses can be chosen", async () => {
  await using worker = await closedKitchen(new RpcError(Code.ResourceExhausted, "too many guests"));
  const options = { codes: [Code.ResourceExhausted] };
  await using client = withFallback(worker.target, { cook: { count: 1 } }, options);
  await client.kitchen.cook({}, { onHeaders: client.onHeaders });
  assert.deepEqual(client.marks, ["RESOURCE_EXHAUSTED"]);
  await using closed = await closedKitchen(down);
  await using other = withFallback(closed.target, { cook: { count: 1 } }, options);
  await assert.rejects(other.kitchen.cook({}), { code: Code.Unavailable });
});

test("a server that is not there is stood in for", async () => {
  await using client = withFallback("127.0.0.1:1", { cook: { count: 1 } });
  assert.equal((await client.kitchen.cook({})).count, 1);
});

test("the call's own deadline is stood in for in time, and the server is told that nobody waits", async () => {
  const cancelled = Promise.withResolvers<void>();
  await using worker = await kitchenWorker({
    cook: (_, { signal }) =>
      once(signal, "abort").then(() => {
        cancelled.resolve();
        return {};
      }),
    async *serve(dish, { signal }) {
      await once(signal, "abort");
      yield dish;
    },
  });
  await using client = withFallback(worker.target, { cook: { count: 1 }, serve: [{ count: 2 }] });
  const { kitchen, marks, onHeaders } = client;
  assert.equal((await kitchen.cook({}, { timeoutMs: 300, onHeaders })).count, 1);
  await cancelled.promise;
  assert.deepEqual(counts(await all(kitchen.serve({}, { timeoutMs: 300, onHeaders }))), [2]);
  assert.deepEqual(marks, ["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"]);
});

test("a stand-in that comes after the deadline is too late", async () => {
  await using worker = await closedKitchen(down);
  await using client = withFallback(worker.target, { cook: () => new Promise(() => {}) });
  await assert.rejects(client.kitchen.cook({}, { timeoutMs: 50 }), { code: Code.DeadlineExceeded });
});

test("a stream that stands in ends with the call's time, and when its reader leaves", async () => {
  let left = 0;
  await using worker = await closedKitchen(down);
  await using client = withFallback(worker.target, {
    async *serve({ request }) {
      try {
        yield { count: 1 };
        if (request.count === 1) await new Promise(() => {});
        yield { count: 2 };
      } finally {
        left += 1;
      }
    },
  });
  const { kitchen } = client;
  await assert.rejects(all(kitchen.serve({ count: 1 }, { timeoutMs: 50 })), { code: Code.DeadlineExceeded });
  for await (const _ of kitchen.serve({})) break;
  assert.equal(left, 1);
});

test("a call that its caller cancels gets no stand-in, whatever the codes", async () => {
  const controller = new AbortController();
  await using worker = await kitchenWorker({
    async cook(_, { signal }) {
      controller.abort();
      await once(signal, "abort");
      return {};
    },
  });
  await using client = withFallback(
    worker.target,
    { cook: { count: 1 } },
    { codes: [Code.Cancelled, Code.DeadlineExceeded] },
  );
  const call = client.kitchen.cook({}, { signal: controller.signal, timeoutMs: 60_000 });
  await assert.rejects(call, { code: Code.Cancelled });
  assert.deepEqual(client.events, []);
});

test("a stream whose answer has begun is not stood in for, and keeps its time", async () => {
  await using worker = await kitchenWorker({
    async *serve({ count }, call) {
      if (count === 0) call.sendHeaders();
      else yield { count };
      if (count === 2) await once(call.signal, "abort");
      throw down;
    },
  });
  await using client = withFallback(worker.target, { serve: [{ count: 9 }] }, { reserveMs: 10_000 });
  const read: number[] = [];
  const readAll = async (count: number, timeoutMs?: number) => {
    for await (const dish of client.kitchen.serve({ count }, timeoutMs ? { timeoutMs } : {})) {
      read.push(dish.count);
    }
  };
  await assert.rejects(readAll(0), { code: Code.Unavailable, message: down.message });
  await assert.rejects(readAll(1), { code: Code.Unavailable, message: down.message });
  const before = Date.now();
  await assert.rejects(readAll(2, 300), { code: Code.DeadlineExceeded });
  assert.ok(Date.now() - before >= 295);
  assert.deepEqual(read, [1, 2]);
});

test("a stand-in of no method is a mistake", () => {
  // @ts-expect-error Kitchen has no method of that name
  assert.throws(() => fallback(Kitchen, { bake: {} }), {
    message: /^fallback\(\) was given an answer called "bake", and kitchen\.v1\.Kitchen has no such method/,
  });
});
