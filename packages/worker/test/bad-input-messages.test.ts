import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { answerOf, framed, rawSession } from "./support/raw-http2.ts";
import { answerTo, assertServesOn, kitchenWorker, type PlainDish } from "./support/server.ts";

const MIB = 1024 * 1024;
const COOK = "/kitchen.v1.Kitchen/Cook";
const COLLECT = "/kitchen.v1.Kitchen/Collect";
/** Field 1 with a length past the end: no message of any type. */
const NO_DISH = Buffer.from([0x0a, 0x7f, 0x41]);
/** `{ name: "A" }` */
const DISH = Buffer.from([0x0a, 0x01, 0x41]);
/** `{ filling: <so many zeros> }` */
function dishOf(bytes: number): Buffer {
  const length = Buffer.from([
    0x80 | (bytes & 0x7f),
    0x80 | ((bytes >> 7) & 0x7f),
    0x80 | ((bytes >> 14) & 0x7f),
    bytes >> 21,
  ]);
  return Buffer.concat([Buffer.from([0x1a]), length, Buffer.alloc(bytes)]);
}

describe("bytes that are not the message", () => {
  test("are INVALID_ARGUMENT, and the client is told that it was its request", async () => {
    await using worker = await kitchenWorker();
    const { code, details } = await worker.client.call("Cook", NO_DISH);
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.match(details, /^The request is no kitchen\.v1\.Dish: its 3 bytes do not parse/);
    await assertServesOn(worker, { Cook: { InvalidArgument: 1 } });
  });

  test("end a client stream that began well, whatever its handler makes of it", async () => {
    await using worker = await kitchenWorker({
      async collect(dishes) {
        try {
          for await (const _ of dishes);
        } catch {}
        return { name: "all is well" };
      },
    });
    const call = worker.client.collect();
    call.write({ name: "A" });
    call.write(NO_DISH);
    const { code, details, replies } = await call.answer;
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.match(details, /^The request is no kitchen\.v1\.Dish/);
    assert.deepEqual(replies, []);
    await assertServesOn(worker, { Collect: { InvalidArgument: 1 } });
  });

  test("end a chat after the replies to what came before them", async () => {
    await using worker = await kitchenWorker();
    const call = worker.client.chat();
    const answer = answerTo(call);
    call.write({ name: "A" });
    call.write(NO_DISH);
    const { code, replies } = await answer;
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.deepEqual(replies, [{ name: "A" }]);
    await assertServesOn(worker, { Chat: { InvalidArgument: 1 } });
  });
});

describe("messages over 4 MiB", () => {
  test("are RESOURCE_EXHAUSTED; one of exactly 4 MiB is not", async () => {
    await using worker = await kitchenWorker({ cook: ({ filling }) => ({ count: filling.length }) });
    const largest = await worker.client.call("Cook", dishOf(4 * MIB - 5));
    assert.deepEqual(largest.replies, [{ count: 4 * MIB - 5 }]);
    const { code, details } = await worker.client.call("Cook", dishOf(4 * MIB - 4));
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    assert.match(details, /larger than max \(4194305 vs 4194304\)/);
    await assertServesOn(worker, { Cook: { OK: 1, ResourceExhausted: 1 } });
  });

  test("are refused by their length alone, before their bytes have come", async () => {
    await using worker = await kitchenWorker();
    await using raw = rawSession(worker.port);
    const stream = raw.open(COOK);
    stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
    const { code } = await answerOf(stream);
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    await assertServesOn(worker, { Cook: { ResourceExhausted: 1 } });
  });

  test("are refused in a stream too", async () => {
    await using worker = await kitchenWorker();
    const call = worker.client.collect();
    call.write({ count: 1 });
    call.write(dishOf(4 * MIB));
    const { code } = await call.answer;
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    await assertServesOn(worker, { Collect: { ResourceExhausted: 1 } });
  });

  test("are refused where they are small until they are unpacked", async () => {
    await using worker = await kitchenWorker();
    await using raw = rawSession(worker.port);
    const bomb = gzipSync(dishOf(64 * MIB));
    assert.ok(bomb.byteLength < 100_000, "small on the wire");
    const { code, message } = await raw.call(COOK, framed(bomb, { compressed: true }), {
      "grpc-encoding": "gzip",
    });
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    assert.match(message, /decompresses to a size larger than 4194304/);
    await assertServesOn(worker, { Cook: { ResourceExhausted: 1 } });
  });

  test("that the service would send are RESOURCE_EXHAUSTED too, and say that it was the reply", async () => {
    await using worker = await kitchenWorker({
      cook: () => ({ filling: new Uint8Array(4 * MIB) }),
      async *serve() {
        yield { name: "small" };
        yield { filling: new Uint8Array(4 * MIB) };
      },
    });
    const cooked = await worker.client.call("Cook");
    assert.equal(cooked.code, status.RESOURCE_EXHAUSTED);
    assert.equal(cooked.details, "The reply has 4194309 bytes: a message may have at most 4 MiB.");
    const served = await answerTo(worker.client.serve({}));
    assert.equal(served.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(served.replies, [{ name: "small" }]);
    await assertServesOn(worker, { Cook: { ResourceExhausted: 1 }, Serve: { ResourceExhausted: 1 } });
  });
});

describe("a request that ends in the middle of a message is INVALID_ARGUMENT", () => {
  const ends = { "its length": 3, "its bytes": 6 };
  for (const [within, length] of Object.entries(ends)) {
    test(`within ${within}, where it is the only one`, async () => {
      await using worker = await kitchenWorker();
      await using raw = rawSession(worker.port);
      const { code, message } = await raw.call(COOK, framed(DISH).subarray(0, length));
      assert.equal(code, status.INVALID_ARGUMENT);
      assert.equal(message, "The request ends in the middle of a message.");
      await assertServesOn(worker, { Cook: { InvalidArgument: 1 } });
    });

    test(`within ${within}, where it is the last of a stream: its handler does not take the rest for all`, async () => {
      const ended = Promise.withResolvers<string>();
      await using worker = await kitchenWorker({
        async collect(dishes) {
          try {
            for await (const _ of dishes);
            ended.resolve("all messages came");
          } catch (error) {
            ended.resolve(String(error));
          }
          return {};
        },
      });
      await using raw = rawSession(worker.port);
      const body = Buffer.concat([framed(DISH), framed(DISH).subarray(0, length)]);
      const { code } = await raw.call(COLLECT, body);
      assert.equal(code, status.INVALID_ARGUMENT);
      assert.match(await ended.promise, /^RpcError: INVALID_ARGUMENT/);
      await assertServesOn(worker, { Collect: { InvalidArgument: 1 } });
    });
  }
});

describe("the wrong number of messages", () => {
  const cases = [
    {
      name: "two messages on a unary call",
      body: Buffer.concat([framed(DISH), framed(DISH)]),
      says: /a second one came/,
    },
    { name: "no message on a unary call", body: Buffer.alloc(0), says: /none came/ },
  ];
  for (const { name, body, says } of cases) {
    test(`${name}: UNIMPLEMENTED`, async () => {
      let cooked = 0;
      await using worker = await kitchenWorker({
        cook: (dish) => {
          cooked += 1;
          return dish;
        },
      });
      await using raw = rawSession(worker.port);
      const { code, message } = await raw.call(COOK, body);
      assert.equal(code, status.UNIMPLEMENTED);
      assert.match(message, says);
      assert.equal(cooked, 0);
      await assertServesOn(worker, { Cook: { Unimplemented: 1 } });
    });
  }

  test("no message at all is a fine client stream", async () => {
    await using worker = await kitchenWorker();
    const call = worker.client.collect();
    call.end();
    assert.equal((await call.answer).code, status.OK);
    await assertServesOn(worker, { Collect: { OK: 1 } });
  });
});

describe("compressed messages", () => {
  test("of an encoding that nobody knows are UNIMPLEMENTED, and the answer names those that are read", async () => {
    await using worker = await kitchenWorker();
    await using raw = rawSession(worker.port);
    const { code, message, trailers } = await raw.call(COOK, framed(DISH, { compressed: true }), {
      "grpc-encoding": "snappy",
    });
    assert.equal(code, status.UNIMPLEMENTED);
    assert.match(message, /"snappy"/);
    assert.equal(trailers["grpc-accept-encoding"], "identity,deflate,gzip");
    await assertServesOn(worker, { Cook: { Unimplemented: 1 } });
  });

  for (const encoding of [undefined, "identity"]) {
    test(`that name ${encoding ?? "no encoding"} are INTERNAL, as gRPC demands`, async () => {
      await using worker = await kitchenWorker();
      await using raw = rawSession(worker.port);
      const headers = encoding ? { "grpc-encoding": encoding } : {};
      const { code, message } = await raw.call(COOK, framed(DISH, { compressed: true }), headers);
      assert.equal(code, status.INTERNAL);
      assert.match(message, /^The request has a message with the flag "compressed"/);
      await assertServesOn(worker, { Cook: { Internal: 1 } });
    });
  }

  for (const encoding of ["gzip", "deflate"]) {
    test(`that are no ${encoding} are INVALID_ARGUMENT`, async () => {
      await using worker = await kitchenWorker();
      await using raw = rawSession(worker.port);
      const body = framed(Buffer.from("plain"), { compressed: true });
      const { code, message } = await raw.call(COOK, body, { "grpc-encoding": encoding });
      assert.equal(code, status.INVALID_ARGUMENT);
      assert.match(message, /^The request has a message that does not decompress/);
      await assertServesOn(worker, { Cook: { InvalidArgument: 1 } });
    });
  }

  test("that break off are INVALID_ARGUMENT", async () => {
    await using worker = await kitchenWorker();
    await using raw = rawSession(worker.port);
    const half = gzipSync(dishOf(1_000)).subarray(0, 20);
    const { code } = await raw.call(COOK, framed(half, { compressed: true }), { "grpc-encoding": "gzip" });
    assert.equal(code, status.INVALID_ARGUMENT);
    await assertServesOn(worker, { Cook: { InvalidArgument: 1 } });
  });

  test("end a stream that began well", async () => {
    let ended: unknown;
    await using worker = await kitchenWorker({
      async collect(dishes) {
        const taken: PlainDish[] = [];
        try {
          for await (const dish of dishes) taken.push(dish);
        } catch (error) {
          ended = error;
        }
        return { count: taken.length };
      },
    });
    await using raw = rawSession(worker.port);
    const body = Buffer.concat([framed(DISH), framed(Buffer.from("plain"), { compressed: true })]);
    const { code } = await raw.call(COLLECT, body, { "grpc-encoding": "gzip" });
    assert.equal(code, status.INVALID_ARGUMENT);
    assert.ok(ended instanceof Error, "the handler's loop was left by an error");
    await assertServesOn(worker, { Collect: { InvalidArgument: 1 } });
  });
});
