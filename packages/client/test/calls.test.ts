import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { QuotaFailureSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Code, detail, Metadata, RpcError } from "@gantry/rpc";
import { createClient } from "../src/index.ts";
import { all } from "./support/all.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

const BYTES = new Uint8Array([0, 1, 254, 255]);

test("a unary call answers with its message", async () => {
  await using worker = await kitchenWorker();
  await using kitchen = createClient(Kitchen, worker.target);
  const { name, count } = await kitchen.cook({ name: "soup", count: 2 });
  assert.deepEqual([name, count], ["soup", 2]);
});

test("responses that stream come one by one, in order", async () => {
  await using worker = await kitchenWorker();
  await using kitchen = createClient(Kitchen, worker.target);
  const dishes = await all(kitchen.serve({ name: "soup", count: 3 }));
  assert.deepEqual(
    dishes.map(({ count }) => count),
    [1, 2, 3],
  );
});

test("a stream with no messages is an empty one", async () => {
  await using worker = await kitchenWorker();
  await using kitchen = createClient(Kitchen, worker.target);
  assert.deepEqual(await all(kitchen.serve({ count: 0 })), []);
});

test("requests stream from anything that can be iterated", async () => {
  await using worker = await kitchenWorker();
  await using kitchen = createClient(Kitchen, worker.target);
  async function* later() {
    yield { count: 1 };
    yield { count: 2 };
  }
  assert.equal((await kitchen.collect([{ count: 3 }, { count: 4 }])).count, 7);
  assert.equal((await kitchen.collect(later())).count, 3);
  assert.equal((await kitchen.collect([])).count, 0);
});

test("both sides of a conversation wait for each other", async () => {
  await using worker = await kitchenWorker();
  await using kitchen = createClient(Kitchen, worker.target);
  const heard: string[] = [];
  const answered = { next: Promise.withResolvers<void>() };
  async function* ask() {
    for (const name of ["one", "two", "three"]) {
      yield { name };
      await answered.next.promise;
    }
  }
  for await (const { name } of kitchen.chat(ask())) {
    heard.push(name);
    const { resolve } = answered.next;
    answered.next = Promise.withResolvers<void>();
    resolve();
  }
  assert.deepEqual(heard, ["one", "two", "three"]);
});

test("headers and trailers are at hand, text and bytes, both ways", async () => {
  const seen: Metadata[] = [];
  await using worker = await kitchenWorker({
    cook(dish, call) {
      seen.push(call.metadata);
      call.headers.set("oven", "hot").set("oven-bin", BYTES);
      call.trailers.append("tip", "1").append("tip", "2").set("tip-bin", BYTES);
      return dish;
    },
    async *serve(dish, call) {
      call.headers.set("oven", "hot");
      call.trailers.set("tip", "1");
      yield dish;
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  let headers = new Metadata();
  let trailers = new Metadata();
  const options = {
    headers: new Metadata([
      ["table", "7"],
      ["table", "8"],
      ["table-bin", BYTES],
    ]),
    onHeaders: (received: Metadata) => {
      headers = received;
    },
    onTrailers: (received: Metadata) => {
      trailers = received;
    },
  };
  await kitchen.cook({}, options);
  assert.deepEqual(seen[0]?.getAll("table").join(", "), "7, 8");
  assert.deepEqual(new Uint8Array(seen[0]?.getBinary("table-bin") ?? []), BYTES);
  assert.equal(headers.get("oven"), "hot");
  assert.deepEqual(new Uint8Array(headers.getBinary("oven-bin") ?? []), BYTES);
  assert.equal(trailers.get("tip"), "1, 2", "HTTP/2 of Node.js joins values");
  assert.deepEqual(new Uint8Array(trailers.getBinary("tip-bin") ?? []), BYTES);

  [headers, trailers] = [new Metadata(), new Metadata()];
  for await (const _ of kitchen.serve({}, options)) {
    assert.equal(headers.get("oven"), "hot", "before the first message");
    assert.equal(trailers.size, 0, "not before the end");
  }
  assert.equal(trailers.get("tip"), "1");
});

test("an error brings its code, its message, its trailers and its details by their types", async () => {
  const refusal = new RpcError(
    Code.ResourceExhausted,
    "Ausverkauft, 卖完了 100%.",
    [
      detail(
        QuotaFailureSchema,
        create(QuotaFailureSchema, { violations: [{ subject: "table 7", description: "full" }] }),
      ),
    ],
    { metadata: new Metadata([["retry-at", "noon"]]) },
  );
  await using worker = await kitchenWorker({
    cook() {
      throw refusal;
    },
    async *serve(dish) {
      yield dish;
      throw refusal;
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  let trailers = new Metadata();
  const onTrailers = (received: Metadata) => {
    trailers = received;
  };
  const isRefusal = (error: unknown) => {
    assert.ok(error instanceof RpcError);
    assert.equal(error.code, Code.ResourceExhausted);
    assert.equal(error.message, refusal.message);
    assert.equal(error.details(QuotaFailureSchema)[0]?.violations[0]?.subject, "table 7");
    assert.equal(error.metadata.get("retry-at"), "noon");
    assert.ok(!error.metadata.has("grpc-status-details-bin"));
    assert.equal(trailers.get("retry-at"), "noon");
    return true;
  };
  await assert.rejects(kitchen.cook({}, { onTrailers }), isRefusal);
  trailers = new Metadata();
  await assert.rejects(all(kitchen.serve({}, { onTrailers })), isRefusal);
});

test("a slow reader gets every message that came before an error", async () => {
  await using worker = await kitchenWorker({
    async *serve() {
      for (let count = 1; count <= 20; count += 1) yield { count };
      throw new RpcError(Code.Aborted, "enough");
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  let last = 0;
  await assert.rejects(
    async () => {
      for await (const { count } of kitchen.serve({})) {
        last = count;
        // Time enough for the error to be here long before it is its turn.
        await kitchen.ping({});
      }
    },
    { code: Code.Aborted, message: "enough" },
  );
  assert.equal(last, 20);
});
