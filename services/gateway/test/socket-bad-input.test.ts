import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { Code } from "@gantry/rpc";
import { LIMITS } from "../src/socket/limits.ts";
import { gatewayFor } from "./support/gateway.ts";
import { greeter } from "./support/services.ts";
import { type Failure, next } from "./support/sockets.ts";

const SAY_HELLO = "greeter.v1.Greeter/SayHello";
const CHAT = "greeter.v1.Greeter/BidiHello";
const REPLIES = "greeter.v1.Greeter/LotsOfReplies";

const service = greeter({
  sayHello: ({ name }) => ({ reply: name }),
  lotsOfReplies: () => ({
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
  }),
  bidiHello: async function* () {
    yield* [];
    await new Promise(() => {});
  },
});

describe("of packets that are not ours", () => {
  let gateway: Awaited<ReturnType<typeof gatewayFor>>;
  before(async () => {
    gateway = await gatewayFor([service], { maxSockets: 50 });
  });
  after(() => gateway[Symbol.asyncDispose]());

  /** Others go on being served, whatever one does. */
  async function othersAreServed() {
    const other = gateway.socket();
    const call = { id: "1", method: SAY_HELLO, request: { name: "other" } };
    assert.equal((await other.emitWithAck("call", call)).message.reply, "other");
    other.disconnect();
  }

  const wrong: readonly (readonly [event: string, payload: unknown, code: number])[] = [
    ["no-such-event", 1, Code.Unimplemented],
    ["__proto__", {}, Code.Unimplemented],
    ["message", { text: "hi" }, Code.InvalidArgument],
    ["message", Buffer.from("hi"), Code.InvalidArgument],
    ["call", "text", Code.InvalidArgument],
    ["call", null, Code.InvalidArgument],
    ["call", {}, Code.InvalidArgument],
    ["call", { id: "", method: SAY_HELLO }, Code.InvalidArgument],
    ["call", { id: "x".repeat(65), method: SAY_HELLO }, Code.InvalidArgument],
    ["call", { id: "1", method: 7 }, Code.InvalidArgument],
    ["call", { id: "1", method: "a.B/C" }, Code.Unimplemented],
    ["call", { id: "1", method: "__proto__" }, Code.Unimplemented],
    ["call", { id: "1", method: SAY_HELLO, request: [] }, Code.InvalidArgument],
    ["call", { id: "1", method: SAY_HELLO, request: { nmae: "a" } }, Code.InvalidArgument],
    ["call", { id: "1", method: SAY_HELLO, request: { name: 7 } }, Code.InvalidArgument],
    ["call", { id: "1", method: SAY_HELLO, request: Buffer.from("a") }, Code.InvalidArgument],
    ["call", { id: "1", method: SAY_HELLO, requests: [{}, {}] }, Code.InvalidArgument],
    ["call", { id: "1", method: SAY_HELLO, requests: {} }, Code.InvalidArgument],
    ["call", { id: "1", method: SAY_HELLO, request: {}, requests: [] }, Code.InvalidArgument],
    ["call", { id: "1", method: SAY_HELLO, headers: "a" }, Code.InvalidArgument],
    ["call", { id: "1", method: SAY_HELLO, timeoutMs: -1 }, Code.InvalidArgument],
    ["call", { id: "1", method: SAY_HELLO, timeoutMs: "1" }, Code.InvalidArgument],
    ["call:send", { id: "none", message: {} }, Code.NotFound],
    ["call:send", [], Code.InvalidArgument],
    ["call:half-close", { id: "none" }, Code.NotFound],
    ["call:cancel", 7, Code.InvalidArgument],
  ];
  for (const [event, payload, code] of wrong) {
    test(`${event} with ${JSON.stringify(payload)} is answered with code ${code}, acknowledged or not`, async () => {
      const client = gateway.socket();
      const { error }: Failure = await client.emitWithAck(event, payload);
      assert.equal(error.code, code);
      client.emit(event, payload);
      const told = event === "message" ? "message:error" : "event:error";
      assert.ok((await next<Failure>(client, told)).error.code);
      const hello = { id: "2", method: SAY_HELLO, request: { name: "still here" } };
      assert.equal((await client.emitWithAck("call", hello)).message.reply, "still here");
      client.disconnect();
    });
  }

  test("an id that is in use is refused, and its call goes on", async () => {
    const client = gateway.socket();
    const call = { id: "a", method: REPLIES, request: { name: "a" } };
    assert.deepEqual(await client.emitWithAck("call", call), { streaming: true });
    const { error }: Failure = await client.emitWithAck("call", call);
    assert.equal(error.code, Code.AlreadyExists);
    assert.deepEqual(await client.emitWithAck("call:cancel", { id: "a" }), { ok: true });
    client.disconnect();
  });

  test("more calls at once than a socket may have are refused", async () => {
    const client = gateway.socket();
    for (let id = 0; id < LIMITS.calls; id += 1) {
      const call = { id: `${id}`, method: REPLIES, request: { name: "a" } };
      assert.deepEqual(await client.emitWithAck("call", call), { streaming: true });
    }
    const { error }: Failure = await client.emitWithAck("call", { id: "more", method: REPLIES });
    assert.equal(error.code, Code.ResourceExhausted);
    await othersAreServed();
    client.disconnect();
  });

  test("more requests than may wait are refused, of calls and of chat", async () => {
    const client = gateway.socket();
    await client.emitWithAck("call", { id: "a", method: CHAT });
    for (let at = 0; at < LIMITS.waiting; at += 1) {
      client.emit("call:send", { id: "a", message: { name: "a" } });
      client.emit("message", "a");
    }
    const { error }: Failure = await client.emitWithAck("call:send", { id: "a", message: { name: "a" } });
    assert.equal(error.code, Code.ResourceExhausted);
    const chat: Failure = await client.emitWithAck("message", "a");
    assert.equal(chat.error.code, Code.ResourceExhausted);
    client.disconnect();
  });

  test("a flood ends its socket, which does not come again by itself", async () => {
    const client = gateway.socket();
    await next(client, "connect");
    const told = next<Failure>(client, "event:error");
    const gone = next(client, "disconnect");
    for (let at = 0; at < 3 * LIMITS.eventsPerSecond; at += 1) client.emit("login", { token: "a" });
    assert.equal((await told).error.code, Code.ResourceExhausted);
    assert.equal(await gone, "io server disconnect");
    assert.equal(client.active, false);
    await othersAreServed();
  });

  test("a packet that is too large ends its connection", async () => {
    const client = gateway.socket({ reconnection: false });
    await next(client, "connect");
    client.emit("message", "x".repeat(LIMITS.packetBytes));
    assert.equal(await next(client, "disconnect"), "transport close");
    await othersAreServed();
  });

  const packets = {
    ends: [
      "9",
      '42"',
      '42["message"',
      "42{}",
      '42["connect"]',
      `42["message",${"[".repeat(20_000)}`,
      `4511-["message",{"_placeholder":true,"num":0}]`,
      "b!",
    ],
    keeps: ["42[7]", '451-["message",{"_placeholder":true,"num":9}]', "43999[1]"],
  };
  for (const [verb, all] of Object.entries(packets)) {
    for (const packet of all) {
      test(`a packet that is none of ours ${verb} its connection, and others are served: ${packet.slice(0, 40)}`, async () => {
        const url = `${gateway.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`;
        const socket = new WebSocket(url);
        const answered = Promise.withResolvers<void>();
        socket.addEventListener("message", ({ data }) => {
          if (String(data).startsWith("0")) socket.send("40");
          if (String(data).startsWith("40")) socket.send(packet);
          if (String(data).startsWith("40") && verb === "keeps") answered.resolve();
        });
        socket.addEventListener("close", () => answered.resolve());
        await answered.promise;
        await othersAreServed();
        assert.equal(socket.readyState === WebSocket.OPEN, verb === "keeps");
        socket.close();
      });
    }
  }

  test("a WebSocket elsewhere, or of a page of another origin, is closed", async () => {
    for (const [path, origin] of [
      ["/elsewhere", undefined],
      ["/socket.io/?EIO=4&transport=websocket", "https://evil.example"],
    ] as const) {
      const raw = connect(gateway.worker.port, "127.0.0.1");
      const lines = [
        `GET ${path} HTTP/1.1`,
        "Host: a",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        ...(origin ? [`Origin: ${origin}`] : []),
      ];
      raw.write(`${lines.join("\r\n")}\r\n\r\n`);
      let answer = "";
      raw.on("data", (bytes) => {
        answer += bytes;
      });
      await once(raw, "close");
      assert.doesNotMatch(answer, /101 Switching/);
      if (origin) assert.match(answer, /^HTTP\/1\.1 40[03]/);
    }
  });
});

test("more sockets than there may be are refused, and those that are there go on", async () => {
  await using gateway = await gatewayFor([service], { maxSockets: 1 });
  const first = gateway.socket();
  await next(first, "connect");
  const second = gateway.socket({ reconnection: false });
  await next(second, "connect_error");
  assert.equal(second.connected, false);
  const hello = { id: "1", method: SAY_HELLO, request: { name: "a" } };
  assert.equal((await first.emitWithAck("call", hello)).message.reply, "a");
});
