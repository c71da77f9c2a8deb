import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@bufbuild/protobuf";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import { type ClientInterceptor, createClient } from "../src/index.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

/** Notes each stage of a call as it passes. */
function recorder(name: string, stages: string[]): ClientInterceptor {
  const note = (stage: string) => stages.push(`${name} ${stage}`);
  async function* passing(messages: AsyncIterable<Message>, stage: string, end: string) {
    try {
      for await (const message of messages) {
        note(stage);
        yield message;
      }
    } catch (error) {
      note("error");
      throw error;
    }
    note(end);
  }
  return (next) => async (call) => {
    note("start");
    if (call.requests) call.requests = passing(call.requests, "request", "half-close");
    try {
      const response = await next(call);
      note("headers");
      if (response.messages) response.messages = passing(response.messages, "response", "status");
      else note("response, status");
      return response;
    } catch (error) {
      note("error");
      throw error;
    }
  };
}

/** A client whose interceptors are A, then B; the stages that they have seen. */
async function recorded() {
  const stages: string[] = [];
  const worker = await kitchenWorker({
    async *serve({ count }) {
      if (count < 0) throw new RpcError(Code.OutOfRange, "less than nothing");
      for (let at = 1; at <= count; at += 1) yield { count: at };
    },
    cook(dish) {
      if (dish.count < 0) throw new RpcError(Code.OutOfRange, "less than nothing");
      return dish;
    },
  });
  const interceptors = [recorder("A", stages), recorder("B", stages)];
  const kitchen = createClient(Kitchen, worker.target, { interceptors });
  return {
    stages,
    kitchen,
    async [Symbol.asyncDispose]() {
      await kitchen.close();
      await worker.stop();
    },
  };
}

async function read(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

test("unary: outbound in the order given, inbound in reverse", async () => {
  await using call = await recorded();
  await call.kitchen.cook({});
  assert.deepEqual(call.stages, [
    "A start",
    "B start",
    "B headers",
    "B response, status",
    "A headers",
    "A response, status",
  ]);
});

test("streamed responses: headers, each message and the status inbound in reverse", async () => {
  await using call = await recorded();
  await read(call.kitchen.serve({ count: 2 }));
  assert.deepEqual(call.stages, [
    "A start",
    "B start",
    "B headers",
    "A headers",
    "B response",
    "A response",
    "B response",
    "A response",
    "B status",
    "A status",
  ]);
});

test("streamed requests: start, each message and the half-close outbound in the order given", async () => {
  await using call = await recorded();
  await call.kitchen.collect([{}, {}]);
  assert.deepEqual(call.stages, [
    "A start",
    "B start",
    "A request",
    "B request",
    "A request",
    "B request",
    "A half-close",
    "B half-close",
    "B headers",
    "B response, status",
    "A headers",
    "A response, status",
  ]);
});

test("both: each direction in its own order", async () => {
  await using call = await recorded();
  await read(call.kitchen.chat([{}, {}]));
  const outbound = call.stages.filter((stage) => /start|request|half/.test(stage));
  const inbound = call.stages.filter((stage) => !outbound.includes(stage));
  assert.deepEqual(outbound, [
    "A start",
    "B start",
    "A request",
    "B request",
    "A request",
    "B request",
    "A half-close",
    "B half-close",
  ]);
  assert.deepEqual(inbound, [
    "B headers",
    "A headers",
    "B response",
    "A response",
    "B response",
    "A response",
    "B status",
    "A status",
  ]);
});

test("an error comes back through all of them in reverse, of one message and of a stream", async () => {
  await using call = await recorded();
  await assert.rejects(call.kitchen.cook({ count: -1 }), { code: Code.OutOfRange });
  assert.deepEqual(call.stages.splice(0), ["A start", "B start", "B error", "A error"]);
  await assert.rejects(read(call.kitchen.serve({ count: -1 })), { code: Code.OutOfRange });
  assert.deepEqual(
    call.stages.filter((stage) => stage.endsWith("error")),
    ["B error", "A error"],
  );
});

test("what an interceptor changes is what goes out, and what comes back", async () => {
  let heard: string | undefined;
  await using worker = await kitchenWorker({
    cook(dish, { metadata }) {
      heard = metadata.get("table");
      return dish;
    },
  });
  const change: ClientInterceptor = (next) => async (call) => {
    call.headers.set("table", "7");
    call.request = Object.assign({}, call.request, { name: "stew" });
    const response = await next(call);
    response.message = Object.assign({}, response.message, { count: 9 });
    return response;
  };
  await using kitchen = createClient(Kitchen, worker.target, { interceptors: [change] });
  const headers = new Metadata();
  const { name, count } = await kitchen.cook({ name: "soup" }, { headers });
  assert.deepEqual([heard, name, count], ["7", "stew", 9]);
  assert.equal(headers.size, 0, "the caller's own headers are left alone");
});

test("what an interceptor throws that is no RpcError is INTERNAL, with its cause", async () => {
  const cause = new TypeError("a mistake");
  const broken: ClientInterceptor = () => () => Promise.reject(cause);
  await using kitchen = createClient(Kitchen, "127.0.0.1:1", { interceptors: [broken] });
  await assert.rejects(kitchen.ping({}), { code: Code.Internal, cause });
});
