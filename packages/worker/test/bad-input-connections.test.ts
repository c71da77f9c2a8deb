import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import type { CallContext } from "../src/call-context.ts";
import { answerOf, framed, rawSession } from "./support/raw-http2.ts";
import { assertServesOn, kitchenWorker } from "./support/server.ts";

const MIB = 1024 * 1024;
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const NO_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const EMPTY = framed(Buffer.alloc(0));

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

describe("a connection that is no HTTP is closed, and the worker serves on", () => {
  const firstBytes = {
    TLS: Buffer.from("16030100f1010000ed0303", "hex"),
    "random bytes": randomBytes(1_000),
    "many random bytes": randomBytes(MIB),
    "random bytes behind a right beginning": Buffer.concat([PREFACE, NO_SETTINGS, randomBytes(10_000)]),
    "a frame for no stream": Buffer.concat([
      PREFACE,
      NO_SETTINGS,
      Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
    ]),
    "a frame that is too large": Buffer.concat([
      PREFACE,
      NO_SETTINGS,
      Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]),
    ]),
    "headers that do not unpack": Buffer.concat([
      PREFACE,
      NO_SETTINGS,
      Buffer.from([0, 0, 2, 1, 5, 0, 0, 0, 1, 0xff, 0xff]),
    ]),
  };
  for (const [name, bytes] of Object.entries(firstBytes)) {
    test(name, async () => {
      await using worker = await kitchenWorker();
      const socket = await connected(worker.port);
      // It may be reset, with bytes of its own still unread.
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.resume();
      socket.write(bytes);
      await closed;
      await assertServesOn(worker, {});
    });
  }
});

describe("a connection that says nothing", () => {
  const nothings = {
    "at all": Buffer.alloc(0),
    "but half of a beginning": PREFACE.subarray(0, 10),
    "after its beginning": Buffer.concat([PREFACE, NO_SETTINGS]),
    "but half of a frame": Buffer.concat([PREFACE, NO_SETTINGS, Buffer.from([0, 0, 50, 1, 4])]),
  };
  for (const [name, bytes] of Object.entries(nothings)) {
    test(`${name} does not disturb, two hundred of them neither, and a drain does not wait for them`, async () => {
      const worker = await kitchenWorker();
      const sockets = await Promise.all(Array.from({ length: 200 }, () => connected(worker.port)));
      for (const socket of sockets) socket.write(bytes);
      await assertServesOn(worker, {});
      const gone = Promise.all(sockets.map((socket) => once(socket.resume(), "close")));
      await worker.stop();
      await gone;
    });
  }
});

test("connections past MAX_CONNECTIONS are closed at once, and there is room again when one leaves", async () => {
  await using worker = await kitchenWorker({}, { env: { MAX_CONNECTIONS: "2" } });
  const first = await connected(worker.port);
  const second = await connected(worker.port);
  const third = await connected(worker.port);
  await once(third.resume(), "close");
  first.destroy();
  await once(first, "close");
  await assertServesOn(worker, {});
  second.destroy();
});

describe("a client that opens a stream and vanishes", () => {
  /** Handlers that wait for their signal, and a promise of what it says. */
  function waiting() {
    const seen = Promise.withResolvers<CallContext>();
    const left = Promise.withResolvers<unknown>();
    const wait = (call: CallContext) =>
      new Promise<never>((_, reject) => {
        seen.resolve(call);
        call.signal.addEventListener("abort", () => {
          left.resolve(call.signal.reason);
          reject(call.signal.reason);
        });
      });
    return { seen: seen.promise, left: left.promise, wait };
  }

  test("is noticed by a unary handler, and counted CANCELLED", async () => {
    const { seen, left, wait } = waiting();
    await using worker = await kitchenWorker({ cook: (_, call) => wait(call) });
    const raw = rawSession(worker.port);
    raw.open("/kitchen.v1.Kitchen/Cook").end(EMPTY);
    await seen;
    raw.socket.destroy();
    assert.match(String(await left), /CANCELLED/);
    await assertServesOn(worker, { Cook: { Canceled: 1 } });
  });

  test("is counted CANCELLED before it has sent its message", async () => {
    await using worker = await kitchenWorker();
    const raw = rawSession(worker.port);
    raw.open("/kitchen.v1.Kitchen/Cook").write(EMPTY.subarray(0, 3));
    await raw.roundTrip();
    raw.socket.destroy();
    await assertServesOn(worker, { Cook: { Canceled: 1 } });
  });

  test("does not look to a stream's handler as if it had finished", async () => {
    const first = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    await using worker = await kitchenWorker({
      async collect(dishes) {
        try {
          for await (const _ of dishes) first.resolve();
          ended.resolve("all messages came");
        } catch (error) {
          ended.resolve(error);
        }
        return {};
      },
    });
    const raw = rawSession(worker.port);
    raw.open("/kitchen.v1.Kitchen/Collect").write(EMPTY);
    await first.promise;
    raw.socket.destroy();
    assert.match(String(await ended.promise), /CANCELLED/);
    await assertServesOn(worker, { Collect: { Canceled: 1 } });
  });

  test("with five hundred streams at once leaves nothing behind", async () => {
    const begun = Promise.withResolvers<void>();
    let running = 0;
    await using worker = await kitchenWorker({
      async collect(dishes) {
        running += 1;
        if (running === 500) begun.resolve();
        for await (const _ of dishes);
        return {};
      },
    });
    const raw = rawSession(worker.port);
    for (let at = 0; at < 500; at += 1) raw.open("/kitchen.v1.Kitchen/Collect").write(EMPTY);
    await begun.promise;
    raw.socket.destroy();
    await assertServesOn(worker, { Collect: { Canceled: 500 } });
    assert.match(await worker.metrics(), /gantry_calls_in_flight\{.*"Collect"\} 0\n/);
  });

  test("ends the generator that streams to it: its finally block runs", async () => {
    const cleanedUp = Promise.withResolvers<void>();
    await using worker = await kitchenWorker({
      async *serve() {
        try {
          for (;;) yield { name: "七米" };
        } finally {
          cleanedUp.resolve();
        }
      },
    });
    const raw = rawSession(worker.port);
    const stream = raw.open("/kitchen.v1.Kitchen/Serve");
    stream.end(EMPTY);
    await once(stream, "data");
    raw.socket.destroy();
    await cleanedUp.promise;
    await assertServesOn(worker, { Serve: { Canceled: 1 } });
  });
});

describe("a client that never reads", () => {
  const DISH_BYTES = MIB / 4;
  /** A stream without end, which counts what it gave. */
  function endless() {
    const state = { produced: 0, ended: Promise.withResolvers<void>() };
    async function* serve() {
      try {
        for (;;) {
          state.produced += 1;
          yield { filling: new Uint8Array(DISH_BYTES) };
        }
      } finally {
        state.ended.resolve();
      }
    }
    return { state, serve };
  }

  test("stops the handler after a message or two, while others are served", async () => {
    const { state, serve } = endless();
    await using worker = await kitchenWorker({ serve });
    const raw = rawSession(worker.port);
    const stream = raw.open("/kitchen.v1.Kitchen/Serve");
    stream.end(EMPTY);
    await once(stream, "response");
    // Its window holds 64 KiB. Plenty of time for a handler that nobody stops: each call is a round trip.
    for (let at = 0; at < 100; at += 1) assert.equal((await worker.client.call("Cook")).code, 0);
    assert.ok(state.produced <= 3, `${state.produced} messages were made for a client that took none`);
    raw.socket.destroy();
    await state.ended.promise;
    await assertServesOn(worker, { Cook: { OK: 100 }, Serve: { Canceled: 1 } });
  });

  test("is ended by its deadline, and its stream closed", async () => {
    const { state, serve } = endless();
    await using worker = await kitchenWorker({ serve });
    await using raw = rawSession(worker.port);
    const stream = raw.open("/kitchen.v1.Kitchen/Serve", { "grpc-timeout": "200m" });
    stream.end(EMPTY);
    await state.ended.promise;
    assert.ok(state.produced <= 3, `${state.produced} messages were made for a client that took none`);
    await assertServesOn(worker, { Serve: { DeadlineExceeded: 1 } });
  });

  test("reads its status late, behind what it had not read", async () => {
    const { state, serve } = endless();
    await using worker = await kitchenWorker({ serve });
    await using raw = rawSession(worker.port);
    const stream = raw.open("/kitchen.v1.Kitchen/Serve", { "grpc-timeout": "200m" });
    stream.end(EMPTY);
    await state.ended.promise;
    const { code } = await answerOf(stream);
    assert.equal(code, 4);
  });
});
