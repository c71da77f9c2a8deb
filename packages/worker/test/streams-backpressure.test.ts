import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerOf, framed, rawSession } from "./support/raw-http2.ts";
import { assertServesOn, kitchenWorker } from "./support/server.ts";

const COLLECT = "/kitchen.v1.Kitchen/Collect";
const CHAT = "/kitchen.v1.Kitchen/Chat";
/** `{ count: 1 }` and 256 KiB that nobody looks at. */
const LARGE = framed(
  Buffer.concat([Buffer.from([0x10, 1, 0x1a, 0x80, 0x80, 0x10]), Buffer.alloc(256 * 1024)]),
);

describe("backpressure", () => {
  const MESSAGES = 20;

  /** Writes large messages, one when the one before has been taken, and counts those. */
  function writing(port: number, path: string) {
    const raw = rawSession(port);
    const stream = raw.open(path);
    const state = { taken: 0 };
    const write = async () => {
      while (state.taken < MESSAGES) {
        await new Promise<unknown>((resolve) => stream.write(LARGE, resolve));
        state.taken += 1;
      }
    };
    /** Time for everything to move that can: each round trip is there and back again. */
    const settled = async () => {
      for (let at = 0; at < 50; at += 1) await raw.roundTrip();
      return state.taken;
    };
    return { stream, written: write(), settled, [Symbol.asyncDispose]: raw[Symbol.asyncDispose] };
  }

  test("a slow handler slows the client that streams to it", async () => {
    const first = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    await using worker = await kitchenWorker({
      async collect(dishes) {
        let count = 0;
        for await (const _ of dishes) {
          count += 1;
          first.resolve();
          await gate.promise;
        }
        return { count };
      },
    });
    await using client = writing(worker.port, COLLECT);
    await first.promise;
    const taken = await client.settled();
    assert.ok(taken <= 2, `${taken} messages were taken while the handler was at the first`);
    gate.resolve();
    await client.written;
    client.stream.end();
    const { messages } = await answerOf(client.stream);
    assert.deepEqual([...(messages[0]?.bytes ?? [])], [0x10, MESSAGES]);
    await assertServesOn(worker, { Collect: { OK: 1 } });
  });

  test("a client that does not read what a chat answers is not read from either", async () => {
    let answered = 0;
    const first = Promise.withResolvers<void>();
    await using worker = await kitchenWorker({
      async *chat(dishes) {
        for await (const dish of dishes) {
          answered += 1;
          first.resolve();
          yield dish;
        }
      },
    });
    await using client = writing(worker.port, CHAT);
    await first.promise;
    const taken = await client.settled();
    assert.ok(taken <= 4, `${taken} messages were taken from a client that took none`);
    assert.ok(answered <= 3, `${answered} messages were answered to a client that took none`);
    const answer = answerOf(client.stream);
    await client.written;
    client.stream.end();
    assert.equal((await answer).messages.length, MESSAGES);
    await assertServesOn(worker, { Chat: { OK: 1 } });
  });
});
