import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code, currentCall, detached, Metadata, RpcError } from "@gantry/rpc";
import { implement, startWorker, unimplemented } from "@gantry/worker";
import { createTestWorker } from "@gantry/worker/testing";
import { kitchen as kitchenService } from "../../worker/test/support/kitchen.ts";
import { type ClientInterceptor, createClient } from "../src/index.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const TRACE_PARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;

test("a call that says no deadline gets the default of its method's policy", async () => {
  let deadline: number | undefined;
  await using worker = await greeterWorker((_, call) => {
    deadline = call.deadline;
  });
  await using greeter = createClient(Greeter, worker.target);
  const before = Date.now();
  await greeter.sayHello({ name: "七米" });
  assert.ok(deadline !== undefined && deadline <= before + 2_100, "SayHello has two seconds");
  const sent: Metadata[] = [];
  const spy: ClientInterceptor = () => async (call) => {
    sent.push(call.headers);
    assert.ok(call.deadline !== undefined && call.deadline - Date.now() <= 2_000);
    throw new RpcError(Code.Aborted, "seen");
  };
  await using spied = createClient(Greeter, worker.target, { interceptors: [spy] });
  await assert.rejects(spied.sayHello({ name: "七米" }), { code: Code.Aborted });
});

test("a call made inside a handler has no more time than the handler's own call has left", async () => {
  const deadlines: (number | undefined)[] = [];
  await using backend = await kitchenWorker({
    cook(dish, { deadline }) {
      deadlines.push(deadline);
      return dish;
    },
  });
  await using inner = createClient(Kitchen, backend.target);
  await using outer = await createTestWorker({
    services: [
      kitchenService({
        async cook(dish) {
          await inner.cook(dish);
          await inner.cook(dish, { timeoutMs: 60_000 });
          await inner.cook(dish, { timeoutMs: 1_000 });
          return dish;
        },
      }),
    ],
  });
  const before = Date.now();
  await outer.client(Kitchen).cook({}, { timeoutMs: 5_000 });
  const [inherited, shortened, own] = deadlines.map((deadline) => (deadline ?? Number.NaN) - before);
  for (const left of [inherited, shortened]) assert.ok(left && left > 3_000 && left <= 5_100, `${left}`);
  assert.ok(own && own <= 2_000, `${own}`);
});

test("a handler's calls end with the call that it handles, whatever ended that", async () => {
  const ended: number[] = [];
  await using backend = await kitchenWorker({
    cook: (_, { signal }) => once(signal, "abort").then(() => ({})),
  });
  await using inner = createClient(Kitchen, backend.target);
  const begun = Promise.withResolvers<void>();
  await using outer = await kitchenWorker({
    async cook(dish) {
      const call = inner.cook(dish);
      begun.resolve();
      await call.catch((error) => ended.push(error.code));
      return dish;
    },
  });
  await using client = createClient(Kitchen, outer.target);
  const controller = new AbortController();
  const call = client.cook({}, { signal: controller.signal });
  await begun.promise;
  controller.abort();
  await assert.rejects(call, { code: Code.Cancelled });
  await assert.rejects(client.cook({}, { timeoutMs: 100 }), { code: Code.DeadlineExceeded });
  await client.close();
  await outer.stop();
  assert.deepEqual(ended, [Code.Cancelled, Code.DeadlineExceeded]);
});

test("a handler's calls go on with its trace, through everything that it awaits", async () => {
  const seen: (string | undefined)[] = [];
  await using backend = await kitchenWorker({
    cook(dish, { metadata }) {
      seen.push(metadata.get("traceparent"), metadata.get("tracestate"));
      return dish;
    },
  });
  await using inner = createClient(Kitchen, backend.target);
  await using outer = await createTestWorker({
    services: [
      kitchenService({
        async cook(dish) {
          await new Promise((resolve) => setImmediate(resolve));
          return inner.cook(dish);
        },
        async *serve(dish) {
          yield dish;
          await inner.cook(dish);
          yield dish;
          await inner.cook(dish);
        },
        async collect(dishes) {
          for await (const dish of dishes) await inner.cook(dish);
          return {};
        },
        async *chat(dishes) {
          for await (const dish of dishes) yield await inner.cook(dish);
        },
      }),
    ],
  });
  const client = outer.client(Kitchen);
  const headers = new Metadata([
    ["traceparent", TRACE_PARENT],
    ["tracestate", "vendor=1"],
  ]);
  await client.cook({}, { headers });
  for await (const _ of client.serve({}, { headers }));
  await client.collect([{}], { headers });
  for await (const _ of client.chat([{}], { headers }));
  // This worker records no traces, and hands on what it got.
  assert.deepEqual(seen, Array.from({ length: 5 }, () => [TRACE_PARENT, "vendor=1"]).flat());

  seen.length = 0;
  await client.cook({});
  assert.match(String(seen[0]), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/, "a trace of its own");
  seen.length = 0;
  await inner.cook({});
  assert.deepEqual(seen, [undefined, undefined], "none outside of handlers");
});

test("calls at the same time each inherit from their own", async () => {
  const seen = new Map<string, string | undefined>();
  await using backend = await kitchenWorker({
    cook(dish, { metadata }) {
      seen.set(dish.name, metadata.get("traceparent"));
      return dish;
    },
  });
  await using inner = createClient(Kitchen, backend.target);
  await using outer = await kitchenWorker({ cook: (dish) => inner.cook(dish) });
  await using client = createClient(Kitchen, outer.target);
  const parents = Array.from(
    { length: 50 },
    (_, at) => `00-${TRACE_ID}-${String(at + 1).padStart(16, "0")}-01`,
  );
  await Promise.all(
    parents.map((parent) =>
      client.cook({ name: parent }, { headers: new Metadata([["traceparent", parent]]) }),
    ),
  );
  assert.deepEqual(
    parents.map((parent) => seen.get(parent)),
    parents,
  );
});

test("the caller's own traceparent and signal hold beside what is inherited", async () => {
  let seen: string | undefined;
  await using backend = await kitchenWorker({
    cook(dish, { metadata }) {
      seen = metadata.get("traceparent");
      return dish;
    },
    ping: (_, { signal }) => once(signal, "abort").then(() => ({})),
  });
  await using inner = createClient(Kitchen, backend.target);
  await using outer = await createTestWorker({
    services: [
      kitchenService({
        async cook(dish) {
          await inner.cook(dish, { headers: new Metadata([["traceparent", TRACE_PARENT]]) });
          await assert.rejects(inner.ping({}, { signal: AbortSignal.timeout(50) }), { code: Code.Cancelled });
          return dish;
        },
      }),
    ],
  });
  await outer.client(Kitchen).cook({}, { timeoutMs: 10_000 });
  assert.equal(seen, TRACE_PARENT);
});

test("detached work inherits nothing, and outlives the call", async () => {
  const written = Promise.withResolvers<Metadata>();
  const answered = Promise.withResolvers<void>();
  await using backend = await kitchenWorker({
    cook(dish, { metadata }) {
      written.resolve(metadata);
      return dish;
    },
  });
  await using inner = createClient(Kitchen, backend.target);
  await using outer = await createTestWorker({
    services: [
      kitchenService({
        cook(dish) {
          assert.ok(currentCall());
          detached(async () => {
            assert.equal(currentCall(), undefined);
            await answered.promise;
            await inner.cook(dish);
          });
          return dish;
        },
      }),
    ],
  });
  await outer.client(Kitchen).cook({}, { timeoutMs: 1_000 });
  answered.resolve();
  assert.equal((await written.promise).get("traceparent"), undefined);
});

test("a deadline ends what interceptors wait for, too", async () => {
  const hangs: ClientInterceptor = () => () => new Promise(() => {});
  await using kitchen = createClient(Kitchen, "127.0.0.1:1", { interceptors: [hangs] });
  await assert.rejects(kitchen.ping({}, { timeoutMs: 30 }), { code: Code.DeadlineExceeded });
  await assert.rejects(kitchen.ping({}, { signal: AbortSignal.timeout(30) }), { code: Code.Cancelled });
});

async function greeterWorker(onHello: (request: unknown, call: { deadline: number | undefined }) => void) {
  const worker = await startWorker({
    name: "greeter",
    version: "1.2.3",
    services: [
      implement(Greeter, {
        sayHello(request, call) {
          onHello(request, call);
          return {};
        },
        lotsOfReplies: unimplemented,
        lotsOfGreetings: unimplemented,
        bidiHello: unimplemented,
      }),
    ],
    env: { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent" },
  });
  return { target: `127.0.0.1:${worker.port}`, [Symbol.asyncDispose]: () => worker.stop() };
}
