import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, RpcError } from "@gantry/rpc";
import { logLines } from "../../worker/test/support/log-lines.ts";
import { type CallLogEntry, type ClientInterceptor, createClient, logging, mock } from "../src/index.ts";
import { all } from "./support/all.ts";
import { loggedKitchen } from "./support/logged-kitchen.ts";
import { DishSchema, Kitchen, kitchenWorker } from "./support/worker.ts";

const bytesOf = (...dishes: MessageInitShape<typeof DishSchema>[]) =>
  dishes.reduce((sum, dish) => sum + toBinary(DishSchema, create(DishSchema, dish)).byteLength, 0);

test("every kind of call is one entry: method, target, status, duration, and sizes on the wire", async () => {
  await using logged = await loggedKitchen();
  const { kitchen, entries, target } = logged;
  const [soup, stew] = [{ name: "soup", count: 2 }, { name: "stew" }];
  await kitchen.cook(soup);
  await all(kitchen.serve(soup));
  await kitchen.collect([soup, stew, stew]);
  await all(kitchen.chat([soup, stew]));
  for (const { duration_ms } of entries) assert.ok(duration_ms > 0 && duration_ms < 60_000);
  assert.deepEqual(
    entries.map(({ duration_ms, ...entry }) => entry),
    [
      {
        method: "kitchen.v1.Kitchen/Cook",
        request: { messages: 1, bytes: bytesOf(soup) },
        response: { messages: 1, bytes: bytesOf(soup) },
      },
      {
        method: "kitchen.v1.Kitchen/Serve",
        request: { messages: 1, bytes: bytesOf(soup) },
        response: { messages: 2, bytes: bytesOf({ ...soup, count: 1 }, soup) },
      },
      {
        method: "kitchen.v1.Kitchen/Collect",
        request: { messages: 3, bytes: bytesOf(soup, stew, stew) },
        response: { messages: 1, bytes: bytesOf({ count: 2 }) },
      },
      {
        method: "kitchen.v1.Kitchen/Chat",
        request: { messages: 2, bytes: bytesOf(soup, stew) },
        response: { messages: 2, bytes: bytesOf(soup, stew) },
      },
    ].map((entry) => ({ ...entry, target, code: "OK" })),
  );
});

test("calls that fail say how, before their answer and in the middle of it", async () => {
  await using logged = await loggedKitchen({
    cook() {
      throw new RpcError(Code.NotFound, "no soup today");
    },
    async *serve(dish) {
      yield dish;
      throw new RpcError(Code.DataLoss, "x".repeat(2_000));
    },
  });
  const { kitchen, entries } = logged;
  await assert.rejects(kitchen.cook({}));
  await assert.rejects(all(kitchen.serve({})));
  assert.deepEqual(
    entries.map(({ code, error, response }) => [code, error, response.messages]),
    [
      ["NOT_FOUND", "no soup today", 0],
      ["DATA_LOSS", "x".repeat(1_024), 1],
    ],
  );
});

test("who leaves a stream, is cancelled or runs out of time is logged once, with that status", async () => {
  let controller: AbortController | undefined;
  await using logged = await loggedKitchen({
    cook(_, { signal }) {
      controller?.abort();
      return once(signal, "abort").then(() => ({}));
    },
    async *serve() {
      for (;;) yield {};
    },
  });
  const { kitchen, entries } = logged;
  for await (const _ of kitchen.serve({})) break;
  await assert.rejects(kitchen.cook({}, { timeoutMs: 50 }));
  controller = new AbortController();
  await assert.rejects(kitchen.cook({}, { signal: controller.signal }));
  assert.deepEqual(
    entries.map(({ method, code }) => `${method.split("/")[1]} ${code}`),
    ["Serve CANCELLED", "Cook DEADLINE_EXCEEDED", "Cook CANCELLED"],
  );
});

test("a call is logged when its time is over, whatever the rest of the chain waits for", async () => {
  const logged = Promise.withResolvers<CallLogEntry>();
  const stuck: ClientInterceptor = () => () => new Promise(() => {});
  const interceptors = [logging((entry) => logged.resolve(entry)), stuck];
  await using kitchen = createClient(Kitchen, "127.0.0.1:1", { interceptors });
  await assert.rejects(kitchen.ping({}, { timeoutMs: 20 }), { code: Code.DeadlineExceeded });
  assert.equal((await logged.promise).code, "DEADLINE_EXCEEDED");
});

test("bytes are those of all attempts, and none where there was no network", async () => {
  let calls = 0;
  await using worker = await kitchenWorker({
    cook(dish) {
      calls += 1;
      if (calls === 1) throw new RpcError(Code.Unavailable, "busy");
      return dish;
    },
  });
  const outer: CallLogEntry[] = [];
  const inner: CallLogEntry[] = [];
  const again: ClientInterceptor = (next) => (call) => next(call).catch(() => next(call));
  const interceptors = [logging((entry) => outer.push(entry)), again, logging((entry) => inner.push(entry))];
  await using kitchen = createClient(Kitchen, worker.target, { interceptors });
  const soup = { name: "soup" };
  await kitchen.cook(soup);
  const sizes = ({ request, response }: CallLogEntry) => [request, response];
  const [none, one, two] = [0, 1, 2].map((count) => bytesOf(soup) * count);
  assert.deepEqual(outer.map(sizes), [
    [
      { messages: 1, bytes: two },
      { messages: 1, bytes: one },
    ],
  ]);
  assert.deepEqual(inner.map(sizes), [
    [
      { messages: 1, bytes: one },
      { messages: 0, bytes: none },
    ],
    [
      { messages: 1, bytes: one },
      { messages: 1, bytes: one },
    ],
  ]);

  const mocked: CallLogEntry[] = [];
  await using other = createClient(Kitchen, worker.target, {
    interceptors: [logging((entry) => mocked.push(entry)), mock(Kitchen, { cook: soup }, { enabled: true })],
  });
  await other.cook(soup);
  assert.deepEqual(mocked.map(sizes), [
    [
      { messages: 1, bytes: 0 },
      { messages: 1, bytes: 0 },
    ],
  ]);
});

test("a logger such as pino's gets calls that are OK at info, others at warn", async () => {
  const { log, lines } = logLines();
  await using worker = await kitchenWorker({
    cook() {
      throw new RpcError(Code.NotFound, "no soup today");
    },
  });
  await using kitchen = createClient(Kitchen, worker.target, { interceptors: [logging(log)] });
  await kitchen.ping({});
  await assert.rejects(kitchen.cook({}));
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      ["info", "client call"],
      ["warn", "client call"],
    ],
  );
  assert.partialDeepStrictEqual(lines[1], { method: "kitchen.v1.Kitchen/Cook", code: "NOT_FOUND" });
});

test("a log that throws leaves the call alone, and the process is warned", async () => {
  await using worker = await kitchenWorker();
  const log = logging(() => {
    throw new Error("the log is full");
  });
  await using kitchen = createClient(Kitchen, worker.target, { interceptors: [log] });
  const warned = once(process, "warning");
  await kitchen.ping({});
  assert.equal((await warned)[0].message, "the log is full");
});
