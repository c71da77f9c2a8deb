import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import type { Dish } from "./support/kitchen.ts";
import { answerTo, assertServesOn, kitchenWorker, type PlainDish } from "./support/server.ts";

describe("a chat", () => {
  test("is answered message by message, before the client has finished", async () => {
    await using worker = await kitchenWorker();
    const call = worker.client.chat();
    const next = async (): Promise<PlainDish> => (await once(call, "data"))[0];
    for (const name of ["你好", "再见"]) {
      const reply = next();
      call.write({ name });
      assert.deepEqual(await reply, { name });
    }
    const end = answerTo(call);
    call.end();
    assert.equal((await end).code, status.OK);
    await assertServesOn(worker, { Chat: { OK: 1 } });
  });

  test("goes on after the client has finished its half", async () => {
    await using worker = await kitchenWorker({
      async *chat(dishes) {
        let count = 0;
        for await (const _ of dishes) count += 1;
        for (let left = count; left > 0; left -= 1) yield { count: left };
      },
    });
    const call = worker.client.chat();
    for (let at = 0; at < 3; at += 1) call.write({});
    call.end();
    const { code, replies } = await answerTo(call);
    assert.equal(code, status.OK);
    assert.deepEqual(replies, [{ count: 3 }, { count: 2 }, { count: 1 }]);
  });

  test("goes on after the handler has read enough, and ends while the client still speaks", async () => {
    await using worker = await kitchenWorker({
      async *chat(dishes) {
        for await (const { name } of dishes) {
          yield { name };
          break;
        }
        yield { name: "and that is all" };
      },
    });
    const call = worker.client.chat();
    const answer = answerTo(call);
    call.write({ name: "first" });
    call.write({ name: "second" });
    const { code, replies } = await answer;
    assert.equal(code, status.OK);
    assert.deepEqual(replies, [{ name: "first" }, { name: "and that is all" }]);
    await assertServesOn(worker, { Chat: { OK: 1 } });
  });

  test("keeps its order over thousands of messages", async () => {
    await using worker = await kitchenWorker();
    const call = worker.client.chat();
    const answer = answerTo(call);
    const counts = Array.from({ length: 5_000 }, (_, at) => at + 1);
    for (const count of counts) if (!call.write({ count })) await once(call, "drain");
    call.end();
    const { replies } = await answer;
    assert.deepEqual(
      replies.map(({ count }) => count),
      counts,
    );
    assert.match(await worker.metrics(), /grpc_server_msg_received_total\{.*"Chat"\} 5000\n/);
    assert.match(await worker.metrics(), /grpc_server_msg_sent_total\{.*"Chat"\} 5000\n/);
  });
});

test("a client stream may be answered before its client has finished", async () => {
  await using worker = await kitchenWorker({
    async collect(dishes) {
      for await (const { name } of dishes) return { name: `${name} is enough` };
      return {};
    },
  });
  const call = worker.client.collect();
  call.write({ name: "the first" });
  const { code, replies } = await call.answer;
  assert.equal(code, status.OK);
  assert.deepEqual(replies, [{ name: "the first is enough" }]);
  await assertServesOn(worker, { Collect: { OK: 1 } });
});

test("a client stream that nobody reads is answered all the same", async () => {
  await using worker = await kitchenWorker({ collect: () => ({ name: "not interested" }) });
  const call = worker.client.collect();
  for (let at = 0; at < 100; at += 1) call.write({ name: "x".repeat(10_000) });
  call.end();
  assert.deepEqual((await call.answer).replies, [{ name: "not interested" }]);
  await assertServesOn(worker, { Collect: { OK: 1 } });
});

test("a server stream without messages is OK", async () => {
  await using worker = await kitchenWorker();
  const { code, replies } = await answerTo(worker.client.serve({ count: 0 }));
  assert.equal(code, status.OK);
  assert.deepEqual(replies, []);
  await assertServesOn(worker, { Serve: { OK: 1 } });
});

describe("when the client cancels", () => {
  test("the generator that streams to it ends, and its finally block runs", async () => {
    const cleanedUp = Promise.withResolvers<void>();
    await using worker = await kitchenWorker({
      async *serve() {
        try {
          for (let count = 1; ; count += 1) yield { count };
        } finally {
          cleanedUp.resolve();
        }
      },
    });
    const call = worker.client.serve({});
    const answer = answerTo(call);
    await once(call, "data");
    call.cancel();
    await cleanedUp.promise;
    assert.equal((await answer).code, status.CANCELLED);
    await assertServesOn(worker, { Serve: { Canceled: 1 } });
  });

  /** A reader of requests that says whether they came to an end or were broken off. */
  function reader() {
    const first = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<string>();
    const read = async (dishes: AsyncIterable<Dish>) => {
      try {
        for await (const _ of dishes) first.resolve();
        ended.resolve("they came to an end");
      } catch (error) {
        ended.resolve(String(error));
        throw error;
      }
    };
    return { first: first.promise, ended: ended.promise, read };
  }

  test("the messages of a client stream do not look as if they were all", async () => {
    const { first, ended, read } = reader();
    await using worker = await kitchenWorker({
      async collect(dishes) {
        await read(dishes);
        return {};
      },
    });
    const call = worker.client.collect();
    call.write({});
    await first;
    call.cancel();
    assert.match(await ended, /^RpcError: CANCELLED/);
    await assertServesOn(worker, { Collect: { Canceled: 1 } });
  });

  test("neither do those of a chat", async () => {
    const { first, ended, read } = reader();
    await using worker = await kitchenWorker({
      async *chat(dishes) {
        await read(dishes);
        yield {};
      },
    });
    const call = worker.client.chat();
    call.on("error", () => {});
    call.write({});
    await first;
    call.cancel();
    assert.match(await ended, /^RpcError: CANCELLED/);
    await assertServesOn(worker, { Chat: { Canceled: 1 } });
  });
});

describe("a handler that does not use `for await`", () => {
  test("may ask for several messages at once", async () => {
    await using worker = await kitchenWorker({
      async collect(dishes) {
        const iterator = dishes[Symbol.asyncIterator]();
        const results = await Promise.all([iterator.next(), iterator.next(), iterator.next()]);
        const names = results.map((result) => (result.done ? "the end" : result.value.name));
        return { name: names.join(", ") };
      },
    });
    const call = worker.client.collect();
    call.write({ name: "A" });
    call.write({ name: "B" });
    call.end();
    assert.deepEqual((await call.answer).replies, [{ name: "A, B, the end" }]);
  });

  test("gets the end again each time that it asks after the end", async () => {
    await using worker = await kitchenWorker({
      async collect(dishes) {
        const iterator = dishes[Symbol.asyncIterator]();
        const ends = [await iterator.next(), await iterator.next(), await iterator.next()];
        return { name: ends.map(({ done }) => String(done)).join() };
      },
    });
    const call = worker.client.collect();
    call.end();
    assert.deepEqual((await call.answer).replies, [{ name: "true,true,true" }]);
  });

  test("may stream by an iterator of its own making", async () => {
    await using worker = await kitchenWorker({
      serve: () => {
        let count = 0;
        return {
          [Symbol.asyncIterator]: () => ({
            next: async () =>
              count < 2 ? { done: false, value: { count: ++count } } : { done: true, value: undefined },
          }),
        };
      },
    });
    const { code, replies } = await answerTo(worker.client.serve({}));
    assert.equal(code, status.OK);
    assert.deepEqual(replies, [{ count: 1 }, { count: 2 }]);
    await assertServesOn(worker, { Serve: { OK: 1 } });
  });
});
