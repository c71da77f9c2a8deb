import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { BadRequestSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { badRequest, Code, Metadata, RpcError } from "@gantry/rpc";
import { createClient, type MockAnswers, type MockOptions, mock } from "../src/index.ts";
import { all } from "./support/all.ts";
import { stuckStream } from "./support/stuck-stream.ts";
import { Kitchen, kitchenWorker, tcpServer } from "./support/worker.ts";

/** Nothing listens there. */
const NOWHERE = "127.0.0.1:1";

afterEach(() => {
  delete process.env.CLIENT_MOCK;
});

function mocked(
  answers: MockAnswers<typeof Kitchen>,
  options: MockOptions = { enabled: true },
  to = NOWHERE,
) {
  return createClient(Kitchen, to, { interceptors: [mock(Kitchen, answers, options)] });
}

const counts = (dishes: { count: number }[]) => dishes.map(({ count }) => count);

test("data answers every kind of call, and no connection is opened", async () => {
  let connections = 0;
  await using server = await tcpServer(() => {
    connections += 1;
  });
  await using kitchen = mocked(
    {
      cook: { name: "soup" },
      serve: [{ count: 1 }, { count: 2 }],
      collect: { count: 3 },
      chat: [{ count: 4 }],
    },
    { enabled: true },
    server.target,
  );
  assert.equal((await kitchen.cook({})).name, "soup");
  assert.deepEqual(counts(await all(kitchen.serve({}))), [1, 2]);
  assert.equal((await kitchen.collect([{}])).count, 3);
  assert.deepEqual(counts(await all(kitchen.chat([{}]))), [4]);
  assert.equal(connections, 0);
});

test("functions answer every kind of call from its requests", async () => {
  await using kitchen = mocked({
    cook: ({ name }) => ({ name: `${name}!` }),
    async *serve({ count }) {
      for (let at = 1; at <= count; at += 1) yield { count: at };
    },
    async collect(dishes) {
      return { count: (await all(dishes)).length };
    },
    async *chat(dishes) {
      for await (const { count } of dishes) yield { count: count * 10 };
    },
  });
  assert.equal((await kitchen.cook({ name: "soup" })).name, "soup!");
  assert.deepEqual(counts(await all(kitchen.serve({ count: 3 }))), [1, 2, 3]);
  assert.equal((await kitchen.collect([{}, {}])).count, 2);
  assert.deepEqual(counts(await all(kitchen.chat([{ count: 1 }, { count: 2 }]))), [10, 20]);
});

test("an answer to streamed requests comes when all of them were read", async () => {
  await using kitchen = mocked({ collect: { count: 3 } });
  let sent = 0;
  function* dishes() {
    for (; sent < 3; sent += 1) yield {};
  }
  await kitchen.collect(dishes());
  assert.equal(sent, 3);
});

test("a function sees the request's headers, and gives response headers and trailers", async () => {
  await using kitchen = mocked({
    cook(dish, { metadata, headers, trailers }) {
      headers.set("table", metadata.get("table") ?? "none");
      trailers.set("cooked-by", "mock");
      return dish;
    },
    async *serve(_, { metadata, headers, trailers }) {
      headers.set("table", metadata.get("table") ?? "none");
      yield {};
      trailers.set("cooked-by", "mock");
    },
  });
  const seen: unknown[] = [];
  const options = {
    headers: new Metadata([["table", "7"]]),
    onHeaders: (headers: Metadata) => seen.push(headers.get("table")),
    onTrailers: (trailers: Metadata) => seen.push(trailers.get("cooked-by")),
  };
  await kitchen.cook({}, options);
  await all(kitchen.serve({}, options));
  assert.deepEqual(seen, ["7", "mock", "7", "mock"]);
});

test("errors come as over the network, given or thrown, with details and trailers", async () => {
  const error = new RpcError(Code.InvalidArgument, "no name", [
    badRequest([{ field: "name", description: "is empty" }]),
  ]);
  const thrower = (_: unknown, { trailers }: { trailers: Metadata }): never => {
    trailers.set("cooked-by", "mock");
    throw error;
  };
  for (const answers of [
    { cook: error, serve: error, collect: error, chat: error },
    { cook: thrower, serve: thrower, collect: thrower, chat: thrower },
  ]) {
    await using kitchen = mocked(answers);
    const calls = [kitchen.cook({}), all(kitchen.serve({})), kitchen.collect([{}]), all(kitchen.chat([{}]))];
    for (const call of calls) {
      await assert.rejects(call, (found) => {
        assert.ok(found instanceof RpcError && found !== error);
        assert.deepEqual([found.code, found.message], [Code.InvalidArgument, "no name"]);
        assert.equal(found.details(BadRequestSchema)[0]?.fieldViolations[0]?.field, "name");
        assert.equal(found.metadata.get("cooked-by"), answers.cook === thrower ? "mock" : undefined);
        return true;
      });
    }
  }
  assert.equal(error.metadata.size, 0, "the error that was given is left alone");
});

test("a stream ends with the error that is among its messages", async () => {
  await using kitchen = mocked({ serve: [{ count: 1 }, new RpcError(Code.DataLoss, "spilt")] });
  const read: number[] = [];
  await assert.rejects(
    async () => {
      for await (const { count } of kitchen.serve({})) read.push(count);
    },
    { code: Code.DataLoss, message: "spilt" },
  );
  assert.deepEqual(read, [1]);
});

test("requests that break off break a mocked call off", async () => {
  const cause = new Error("out of eggs");
  async function* dishes() {
    yield {};
    throw cause;
  }
  await using kitchen = mocked({
    collect: {},
    async *chat(requests) {
      yield* requests;
    },
  });
  const broken = { code: Code.Cancelled, message: /out of eggs/, cause };
  await assert.rejects(kitchen.collect(dishes()), broken);
  await assert.rejects(all(kitchen.chat(dishes())), broken);
});

test("deadlines hold, and tell a function that nobody waits any more", async () => {
  const told: unknown[] = [];
  const never = async (_: unknown, { signal }: { signal: AbortSignal }): Promise<never> => {
    await once(signal, "abort");
    told.push(signal.reason.code);
    throw signal.reason;
  };
  await using kitchen = mocked({
    cook: never,
    async *serve(request, call) {
      yield {};
      await never(request, call);
    },
  });
  const late = { code: Code.DeadlineExceeded };
  await assert.rejects(kitchen.cook({}, { timeoutMs: 20 }), late);
  await assert.rejects(all(kitchen.serve({}, { timeoutMs: 20 })), late);
  assert.deepEqual(told, [Code.DeadlineExceeded, Code.DeadlineExceeded]);
});

test("a stream that is cancelled stops, with its requests and whatever its function waits for", async () => {
  const stopped = Promise.withResolvers<unknown>();
  const { stream: dishes, left: letGo } = stuckStream();
  const reason = new Error("changed my mind");
  await using kitchen = mocked({
    async *chat(_, { signal }) {
      try {
        yield { count: 1 };
        await delay(3_600_000, undefined, { signal });
      } finally {
        stopped.resolve(signal.reason);
      }
    },
  });
  const controller = new AbortController();
  const replies = kitchen.chat(dishes, { signal: controller.signal })[Symbol.asyncIterator]();
  await replies.next();
  const second = replies.next();
  controller.abort(reason);
  await assert.rejects(second, { code: Code.Cancelled, cause: reason });
  assert.equal((await stopped.promise) instanceof RpcError, true);
  await letGo;
});

test("who leaves a stream stops it; nothing is made before it is asked for", async () => {
  let made = 0;
  let left = false;
  let signal: AbortSignal | undefined;
  await using kitchen = mocked({
    async *serve(_, call) {
      signal = call.signal;
      try {
        for (;;) yield { count: ++made };
      } finally {
        left = true;
      }
    },
  });
  for await (const { count } of kitchen.serve({})) if (count === 2) break;
  assert.deepEqual([made, left, signal?.aborted], [2, true, true]);
});

test("methods without an answer go to the network, and with `strict` are UNIMPLEMENTED", async () => {
  await using worker = await kitchenWorker();
  await using open = mocked({ cook: { name: "mocked" } }, { enabled: true }, worker.target);
  assert.equal((await open.collect([{ count: 5 }])).count, 5);
  await using strict = mocked({ cook: { name: "mocked" } }, { enabled: true, strict: true }, worker.target);
  assert.equal((await strict.cook({})).name, "mocked");
  const unimplemented = {
    code: Code.Unimplemented,
    message:
      'kitchen.v1.Kitchen/Serve has no mock, and mocks of kitchen.v1.Kitchen are strict: expected an answer called "serve".',
  };
  await assert.rejects(all(strict.serve({})), unimplemented);
});

test("services that it is not of go to the network", async () => {
  await using worker = await kitchenWorker();
  const greeter = mock(Greeter, { sayHello: { reply: "mocked" } }, { enabled: true, strict: true });
  await using kitchen = createClient(Kitchen, worker.target, { interceptors: [greeter] });
  assert.equal((await kitchen.cook({ name: "soup" })).name, "soup");
});

test("CLIENT_MOCK turns it on for all services, or for some; `enabled` overrides it", async () => {
  await using worker = await kitchenWorker({ cook: () => ({ name: "cooked" }) });
  const cases: [setting: string | undefined, options: MockOptions, expected: string][] = [
    [undefined, {}, "cooked"],
    ["", {}, "cooked"],
    ["all", {}, "mocked"],
    ["greeter.v1.Greeter, kitchen.v1.Kitchen", {}, "mocked"],
    ["greeter.v1.Greeter", {}, "cooked"],
    ["all", { enabled: false }, "cooked"],
    ["", { enabled: true }, "mocked"],
    ["nonsense!", { enabled: true }, "mocked"],
  ];
  for (const [setting, options, expected] of cases) {
    if (setting !== undefined) process.env.CLIENT_MOCK = setting;
    await using kitchen = mocked({ cook: { name: "mocked" } }, options, worker.target);
    // It was read when the client was made.
    process.env.CLIENT_MOCK = expected === "mocked" ? "" : "all";
    assert.equal((await kitchen.cook({})).name, expected, `CLIENT_MOCK=${setting}`);
    delete process.env.CLIENT_MOCK;
  }
});

test("a CLIENT_MOCK that is neither is an error that names it", () => {
  for (const setting of [
    "true",
    "1",
    "ALL",
    "all,kitchen.v1.Kitchen",
    "kitchen.v1.Kitchen,,",
    "kitchen/v1",
  ]) {
    process.env.CLIENT_MOCK = setting;
    assert.throws(() => mocked({}, {}), {
      name: "TypeError",
      message: `CLIENT_MOCK is ${JSON.stringify(setting)}: expected nothing, "all", or names of services such as "greeter.v1.Greeter,math.v1.Math".`,
    });
  }
});

test("answers of no method, and of the wrong shape, do not compile; the first is an error at run time too", () => {
  // @ts-expect-error Kitchen has no method of that name
  assert.throws(() => mock(Kitchen, { bake: {} }), {
    message:
      'mock() was given an answer called "bake", and kitchen.v1.Kitchen has no such method: expected cook, serve, collect, chat, ping, invent.',
  });
  // @ts-expect-error a count is a number
  mock(Kitchen, { cook: { count: "one" } });
  // @ts-expect-error a function's answer is held to its method too
  mock(Kitchen, { cook: () => ({ count: "one" }) });
  // @ts-expect-error a stream has many answers
  mock(Kitchen, { serve: { count: 1 } });
});
