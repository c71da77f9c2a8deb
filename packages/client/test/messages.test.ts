import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@gantry/rpc";
import { createClient } from "../src/index.ts";
import { Kitchen, kitchenWorker, rawServer, wireTo } from "./support/worker.ts";

const MIB = 1024 * 1024;

test("a message of more than 4 MiB is refused on either side, by a sentence", async () => {
  await using worker = await kitchenWorker({ cook: ({ count }) => ({ filling: new Uint8Array(count) }) });
  await using kitchen = createClient(Kitchen, worker.target);
  assert.equal((await kitchen.cook({ count: 4 * MIB - 10 })).filling.byteLength, 4 * MIB - 10);
  await assert.rejects(kitchen.cook({ filling: new Uint8Array(4 * MIB) }), {
    code: Code.ResourceExhausted,
    message: /^The request has 4194309 bytes: a message may have at most 4 MiB\.$/,
  });
  await assert.rejects(kitchen.collect([{}, { filling: new Uint8Array(4 * MIB) }]), {
    code: Code.ResourceExhausted,
  });
});

test("a response of more than 4 MiB is refused, whoever sends it", async () => {
  await using server = await rawServer(Buffer.alloc(5 * MIB));
  await using kitchen = createClient(Kitchen, server.target);
  await assert.rejects(kitchen.cook({}), { code: Code.ResourceExhausted, message: /4194304/ });
});

test("a response that does not parse fails its call and says so", async () => {
  await using server = await rawServer(Buffer.from([0x0f]));
  await using kitchen = createClient(Kitchen, server.target);
  await assert.rejects(kitchen.cook({}), {
    code: Code.Internal,
    message: /^The response is no kitchen\.v1\.Dish: its 1 bytes do not parse/,
  });
});

test("large requests are compressed where that was asked for, and compressed responses are read", async () => {
  await using worker = await kitchenWorker({}, { COMPRESSION: "gzip" });
  const filling = new Uint8Array(100_000).fill(7);
  for (const compression of ["gzip", "none"] as const) {
    await using wire = await wireTo(worker.port);
    await using kitchen = createClient(Kitchen, wire.target, { compression });
    const { filling: back } = await kitchen.cook({ filling });
    assert.deepEqual(new Uint8Array(back), filling);
    assert.equal(wire.sentBytes() < 10_000, compression === "gzip", `${wire.sentBytes()} bytes`);
  }
});
