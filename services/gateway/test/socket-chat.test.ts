import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, RpcError } from "@gantry/rpc";
import { gatewayFor } from "./support/gateway.ts";
import { greeter } from "./support/services.ts";
import { type Failure, next } from "./support/sockets.ts";

const answers = greeter({
  bidiHello: async function* (requests) {
    for await (const { name } of requests) yield { reply: `re: ${name}` };
  },
});

describe("messages of a socket", () => {
  test("are chat over one stream of BidiHello, which ends with the socket", async () => {
    let opened = 0;
    const ended = Promise.withResolvers<void>();
    await using gateway = await gatewayFor([
      greeter({
        bidiHello: async function* (requests, { signal }) {
          opened += 1;
          signal.addEventListener("abort", () => ended.resolve());
          for await (const { name } of requests) yield { reply: `re: ${name}` };
        },
      }),
    ]);
    const client = gateway.socket();
    for (const name of ["你好吗？", "b"]) {
      client.emit("message", name);
      assert.equal(await next(client, "message"), `re: ${name}`);
    }
    assert.deepEqual(await client.emitWithAck("message", "c"), { ok: true });
    assert.equal(opened, 1);
    client.disconnect();
    await ended.promise;
  });

  test("go on after an error of the stream, on another stream", async () => {
    await using gateway = await gatewayFor([
      greeter({
        bidiHello: async function* (requests) {
          for await (const { name } of requests) {
            if (name === "bad") throw new RpcError(Code.OutOfRange, "That is a bad name.");
            yield { reply: name };
          }
        },
      }),
    ]);
    const client = gateway.socket();
    client.emit("message", "bad");
    const { error } = await next<Failure>(client, "message:error");
    assert.deepEqual(error, { code: Code.OutOfRange, message: "That is a bad name.", details: [] });
    client.emit("message", "good");
    assert.equal(await next(client, "message"), "good");
  });

  test("over polling reach it too", async () => {
    await using gateway = await gatewayFor([answers]);
    const client = gateway.socket({ transports: ["polling"] });
    client.emit("message", "a");
    assert.equal(await next(client, "message"), "re: a");
  });

  test("that are slow to leave slow the stream", async () => {
    let made = 0;
    const over = Promise.withResolvers<void>();
    await using gateway = await gatewayFor([
      greeter({
        bidiHello: async function* (_, { signal }) {
          signal.addEventListener("abort", () => over.resolve());
          const reply = "x".repeat(32 * 1024);
          for (; made < 20_000; made += 1) yield { reply };
        },
      }),
    ]);
    const client = gateway.socket({ transports: ["polling"] });
    await next(client, "connect");
    client.emit("message", "a");
    await next(client, "message");
    // One who polls takes what has gathered between two polls: no more than the one that waits to leave.
    const before = made;
    await next(client, "message");
    assert.ok(made - before <= 3, `${made - before} replies were made while the client took one`);
    client.disconnect();
    await over.promise;
  });
});

describe("a token", () => {
  const tells = greeter({
    bidiHello: async function* (requests, { metadata }) {
      for await (const _ of requests) yield { reply: String(metadata.get("authorization")) };
    },
    sayHello: (_, { metadata }) => ({ reply: String(metadata.get("authorization")) }),
  });

  test("given by login goes with the calls that begin later", async () => {
    await using gateway = await gatewayFor([tells]);
    const client = gateway.socket();
    const call = { id: "1", method: "greeter.v1.Greeter/SayHello", request: { name: "a" } };
    assert.equal((await client.emitWithAck("call", call)).message.reply, "undefined");
    assert.deepEqual(await client.emitWithAck("login", { token: "abc" }), { ok: true });
    assert.equal((await client.emitWithAck("call", call)).message.reply, "Bearer abc");
    client.emit("message", "hi");
    assert.equal(await next(client, "message"), "Bearer abc");
  });

  test("given with the connection is there again after a reconnect", async () => {
    await using gateway = await gatewayFor([tells]);
    const client = gateway.socket({ auth: { token: "abc" } });
    client.emit("message", "hi");
    assert.equal(await next(client, "message"), "Bearer abc");
    const again = next(client, "connect");
    client.io.engine.close();
    await again;
    client.emit("message", "hi");
    assert.equal(await next(client, "message"), "Bearer abc");
  });

  for (const login of [
    undefined,
    null,
    "abc",
    {},
    { token: 7 },
    { token: "a b" },
    { token: "七" },
    { token: "x".repeat(9_000) },
  ]) {
    test(`that is none is refused, and not repeated: ${JSON.stringify(login)?.slice(0, 30)}`, async () => {
      await using gateway = await gatewayFor([tells]);
      const client = gateway.socket();
      const { error }: Failure = await client.emitWithAck("login", login);
      assert.equal(error.code, Code.InvalidArgument);
      assert.doesNotMatch(error.message, /abc|a b|七|xxx/);
    });
  }

  test("that is none refuses the connection that came with it", async () => {
    await using gateway = await gatewayFor([tells]);
    const client = gateway.socket({ auth: { token: "a b" } });
    const error = await next<Error & { data: Failure }>(client, "connect_error");
    assert.equal(error.data.error.code, Code.InvalidArgument);
  });
});
