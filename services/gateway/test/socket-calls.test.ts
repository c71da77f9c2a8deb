import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, errorInfo, RpcError } from "@gantry/rpc";
import { LIMITS } from "../src/socket/limits.ts";
import { gatewayFor } from "./support/gateway.ts";
import { unfinishedRequest } from "./support/raw-socket.ts";
import { greeter, math } from "./support/services.ts";
import { type Failure, next, streamOf } from "./support/sockets.ts";

const SAY_HELLO = "greeter.v1.Greeter/SayHello";
const REPLIES = "greeter.v1.Greeter/LotsOfReplies";
const RUNNING_SUM = "math.v1.Math/RunningSum";

const sums = math({
  accumulate: async (requests) => {
    let sum = 0;
    for await (const { val } of requests) sum += val;
    return { sum };
  },
  runningSum: async function* (requests, { headers, trailers }) {
    headers.set("x-begun", "yes");
    let val = 0n;
    for await (const request of requests) {
      val += request.val;
      yield { val };
    }
    trailers.set("x-ended", "yes");
  },
});

describe("a call", () => {
  test("that is answered once has its answer as acknowledgement, with headers and trailers", async () => {
    await using gateway = await gatewayFor([
      greeter({
        sayHello: ({ name }, { headers, trailers, metadata }) => {
          headers.set("location", "here");
          trailers.set("note", metadata.get("x-note") ?? "");
          return { reply: name };
        },
      }),
    ]);
    const headers = { "x-note": "n", cookie: "not passed on" };
    const answer = await gateway
      .socket()
      .emitWithAck("call", { id: "1", method: SAY_HELLO, request: { name: "七米" }, headers });
    assert.deepEqual(answer, {
      message: { reply: "七米" },
      headers: { location: "here" },
      trailers: { note: "n" },
    });
  });

  test("that fails has its error as acknowledgement, with details", async () => {
    await using gateway = await gatewayFor([
      greeter({
        sayHello: () => {
          throw new RpcError(Code.NotFound, "Nobody.", [errorInfo("NOBODY", "gantry.dev")]);
        },
      }),
    ]);
    const answer = await gateway
      .socket()
      .emitWithAck("call", { id: "1", method: SAY_HELLO, request: { name: "a" } });
    const details = [
      { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "NOBODY", domain: "gantry.dev" },
    ];
    assert.deepEqual(answer.error, { code: Code.NotFound, message: "Nobody.", details });
  });

  test("streams requests that come at once", async () => {
    await using gateway = await gatewayFor([sums]);
    const requests = [{ val: 1 }, { val: 2.5 }];
    const method = "math.v1.Math/Accumulate";
    const { message } = await gateway.socket().emitWithAck("call", { id: "1", method, requests });
    assert.equal(message.sum, 3.5);
  });

  test("streams both ways, as requests come, each acknowledged when it is taken", async () => {
    await using gateway = await gatewayFor([sums]);
    const client = gateway.socket();
    const stream = streamOf(client, "a");
    assert.deepEqual(await client.emitWithAck("call", { id: "a", method: RUNNING_SUM }), { streaming: true });
    for (const val of [1, "9007199254740993", -5]) {
      assert.deepEqual(await client.emitWithAck("call:send", { id: "a", message: { val } }), { ok: true });
    }
    assert.deepEqual(await client.emitWithAck("call:half-close", { id: "a" }), { ok: true });
    assert.deepEqual(await stream, {
      messages: [{ val: "1" }, { val: "9007199254740994" }, { val: "9007199254740989" }],
      end: { id: "a", headers: { "x-begun": "yes" }, trailers: { "x-ended": "yes" } },
    });
  });

  test("that fails behind some messages ends with its error", async () => {
    await using gateway = await gatewayFor([
      greeter({
        lotsOfReplies: async function* () {
          yield { reply: "one" };
          throw new RpcError(Code.Aborted, "No more.");
        },
      }),
    ]);
    const client = gateway.socket();
    const stream = streamOf(client, "a");
    await client.emitWithAck("call", { id: "a", method: REPLIES, request: { name: "a" } });
    const { messages, error } = await stream;
    assert.deepEqual(messages, [{ reply: "one" }]);
    const expected = { code: Code.Aborted, message: "No more.", details: [] };
    assert.deepEqual(error, { id: "a", error: expected, headers: {}, trailers: {} });
  });

  for (const end of ["call:cancel", "disconnect"] as const) {
    test(`ends at its handler by ${end}, even where that waits`, async () => {
      const ended = Promise.withResolvers<void>();
      await using gateway = await gatewayFor([
        greeter({
          lotsOfReplies: async function* (_, { signal }) {
            signal.addEventListener("abort", () => ended.resolve());
            yield { reply: "one" };
            await new Promise(() => {});
          },
        }),
      ]);
      const client = gateway.socket();
      const stream = streamOf(client, "a");
      await client.emitWithAck("call", { id: "a", method: REPLIES, request: { name: "a" } });
      if (end === "disconnect") client.disconnect();
      else {
        assert.deepEqual(await client.emitWithAck("call:cancel", { id: "a" }), { ok: true });
        const { error } = await stream;
        assert.equal((error as Failure).error.code, Code.Cancelled);
      }
      await ended.promise;
    });
  }

  test("ends by its own timeout", async () => {
    await using gateway = await gatewayFor([greeter({ sayHello: () => new Promise(() => {}) })]);
    const call = { id: "1", method: SAY_HELLO, request: { name: "a" }, timeoutMs: 20 };
    const { error }: Failure = await gateway.socket().emitWithAck("call", call);
    assert.equal(error.code, Code.DeadlineExceeded);
  });

  test("that ends before it has taken all of its requests says so", async () => {
    const end = Promise.withResolvers<void>();
    await using gateway = await gatewayFor([
      math({
        // biome-ignore lint/correctness/useYield: it fails before it has anything to say
        runningSum: async function* () {
          await end.promise;
          throw new RpcError(Code.Aborted, "No more.");
        },
      }),
    ]);
    const client = gateway.socket();
    await client.emitWithAck("call", { id: "a", method: RUNNING_SUM });
    const sent: Promise<Failure> = client.emitWithAck("call:send", { id: "a", message: { val: 1 } });
    await client.emitWithAck("login", { token: "a" });
    end.resolve();
    assert.equal((await sent).error.code, Code.FailedPrecondition);
  });

  test("goes no further than its client acknowledges", async () => {
    let made = 0;
    await using gateway = await gatewayFor([
      greeter({
        lotsOfReplies: async function* () {
          for (; made < 1_000; made += 1) yield { reply: `${made}` };
        },
      }),
    ]);
    const client = gateway.socket();
    const unacknowledged: (() => void)[] = [];
    const full = Promise.withResolvers<void>();
    client.on("call:message", (_: unknown, acknowledge: () => void) => {
      unacknowledged.push(acknowledge);
      if (unacknowledged.length === LIMITS.unacknowledged) full.resolve();
    });
    await client.emitWithAck("call", { id: "a", method: REPLIES, request: { name: "a" } });
    await full.promise;
    // The answer to another event comes behind all messages that were on their way.
    await client.emitWithAck("login", { token: "a" });
    assert.equal(unacknowledged.length, LIMITS.unacknowledged);
    assert.ok(made <= LIMITS.unacknowledged + 1);
    client.off("call:message");
    const rest = streamOf(client, "a");
    for (const acknowledge of unacknowledged) acknowledge();
    assert.equal((await rest).messages.length, 1_000 - LIMITS.unacknowledged);
  });

  test("can be cancelled while it waits for its client to acknowledge", async () => {
    await using gateway = await gatewayFor([
      greeter({
        lotsOfReplies: async function* () {
          while (true) yield { reply: "more" };
        },
      }),
    ]);
    const client = gateway.socket();
    const full = Promise.withResolvers<void>();
    let count = 0;
    client.on("call:message", () => {
      count += 1;
      if (count === LIMITS.unacknowledged) full.resolve();
    });
    const ended = next<Failure>(client, "call:error");
    await client.emitWithAck("call", { id: "a", method: REPLIES, request: { name: "a" } });
    await full.promise;
    await client.emitWithAck("call:cancel", { id: "a" });
    assert.equal((await ended).error.code, Code.Cancelled);
  });

  test("is finished before the server closes, and none begins any more", async () => {
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    await using gateway = await gatewayFor([
      greeter({
        sayHello: async () => {
          begun.resolve();
          await finish.promise;
          return { reply: "done" };
        },
      }),
    ]);
    const client = gateway.socket();
    const answer = client.emitWithAck("call", { id: "1", method: SAY_HELLO, request: { name: "a" } });
    await begun.promise;
    const gone = next(client, "disconnect");
    const idle = await unfinishedRequest(gateway.worker.port);
    await client.emitWithAck("login", { token: "a" });
    const closed = gateway.stop();
    const late: Failure = await client.emitWithAck("call", {
      id: "2",
      method: SAY_HELLO,
      request: { name: "a" },
    });
    assert.equal(late.error.code, Code.Unavailable);
    // A socket with a call in flight is no such connection.
    await idle.broken;
    finish.resolve();
    assert.equal((await answer).message.reply, "done");
    await closed;
    assert.equal(await gone, "transport close");
  });
});
