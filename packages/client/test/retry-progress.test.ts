import assert from "node:assert/strict";
import { constants, type ServerHttp2Stream } from "node:http2";
import { join } from "node:path";
import { test } from "node:test";
import { Code } from "@gantry/rpc";
import { startWorker } from "../../../test/support/worker-process.ts";
import { createClient, retry } from "../src/index.ts";
import { all } from "./support/all.ts";
import { HARMLESS, unavailable } from "./support/failing-kitchen.ts";
import { http2Server } from "./support/http2-server.ts";
import { hastyTimers, kitchenWith } from "./support/kitchen-with.ts";
import { Kitchen, kitchenWorker, tcpServer } from "./support/worker.ts";

const { startTimer } = hastyTimers();
const HARMLESS_KITCHEN = kitchenWith({ Cook: HARMLESS, Serve: HARMLESS });
const SILENT_KITCHEN = join(import.meta.dirname, "mains/silent-kitchen.ts");

test("a worker that is killed under its calls costs none of them whose method is harmless", async () => {
  await using silent = await startWorker(SILENT_KITCHEN);
  await using other = await kitchenWorker({ cook: () => ({ name: "other" }) });
  const target = `ipv4:${silent.address},${other.target}`;
  const callOn = async (service: typeof Kitchen, name: string) => {
    const kitchen = createClient(service, target, { interceptors: [retry()] });
    const taken = silent.logged(({ dish }) => dish === name);
    // Calls are answered until one is with the worker that never answers.
    for (;;) {
      const call = kitchen.cook({ name }).catch((error) => error);
      const first = await Promise.race([call, taken]);
      if ("msg" in first) return { call, kitchen };
    }
  };
  const harmless = await callOn(HARMLESS_KITCHEN, "harmless");
  const harmful = await callOn(Kitchen, "harmful");
  silent.signal("SIGKILL");
  assert.equal((await harmless.call).name, "other");
  assert.equal((await harmful.call).code, Code.Unavailable);
  await Promise.all([harmless.kitchen.close(), harmful.kitchen.close()]);
});

test("a call that found no connection is repeated whatever its method does: no server has seen it", async () => {
  const reserved = await tcpServer(() => {});
  await reserved.stop();
  let worker: Awaited<ReturnType<typeof kitchenWorker>> | undefined;
  let cooked = 0;
  const cook = () => ({ count: ++cooked });
  const whenReady = (run: () => void) => {
    const begin = async () => {
      worker ??= await kitchenWorker({ cook }, { PORT: String(reserved.port) });
      await kitchen.ready(5_000);
      run();
    };
    begin();
    return () => {};
  };
  const kitchen = createClient(Kitchen, reserved.target, {
    interceptors: [retry({ startTimer: whenReady })],
    reconnectMinMs: 20,
  });
  assert.equal((await kitchen.cook({})).count, 1);
  await kitchen.close();
  await worker?.stop();
});

test("a client that is closed makes no more attempts", async () => {
  await using worker = await kitchenWorker({
    cook: (_, { signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve({}))),
  });
  const delays: number[] = [];
  const kitchen = createClient(HARMLESS_KITCHEN, worker.target, {
    interceptors: [
      retry({
        startTimer(run, delayMs) {
          delays.push(delayMs);
          run();
          return () => {};
        },
      }),
    ],
  });
  const outcome = kitchen.cook({}).catch((error) => error);
  await kitchen.close(50);
  assert.equal((await outcome).message, `The client of ${worker.target} is closed.`);
  assert.deepEqual(delays, []);
});

test("a stream that fails before its headers is repeated, and what it answers then is read", async () => {
  let attempts = 0;
  await using worker = await kitchenWorker({
    async *serve({ count }) {
      attempts += 1;
      if (attempts < 3) throw unavailable();
      for (let at = 0; at < count; at += 1) yield { count: at };
    },
  });
  await using kitchen = createClient(HARMLESS_KITCHEN, worker.target, {
    interceptors: [retry({ startTimer })],
  });
  assert.deepEqual(
    (await all(kitchen.serve({ count: 3 }))).map(({ count }) => count),
    [0, 1, 2],
  );
  assert.equal(attempts, 3);
});

test("a stream that has begun to answer is not repeated", async () => {
  let attempts = 0;
  await using worker = await kitchenWorker({
    async *serve(dish) {
      attempts += 1;
      yield dish;
      throw unavailable();
    },
  });
  await using kitchen = createClient(HARMLESS_KITCHEN, worker.target, {
    interceptors: [retry({ startTimer })],
  });
  const heard: number[] = [];
  await assert.rejects(
    async () => {
      for await (const { count } of kitchen.serve({ count: 7 })) heard.push(count);
    },
    { code: Code.Unavailable },
  );
  assert.deepEqual([attempts, heard], [1, [7]]);
});

test("no call is repeated whose headers have come, be it of one message or of many", async () => {
  let attempts = 0;
  await using server = await http2Server((stream) => {
    attempts += 1;
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(Code.Unavailable) }));
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.end();
  });
  await using kitchen = createClient(HARMLESS_KITCHEN, server.target, {
    interceptors: [retry({ startTimer })],
  });
  await assert.rejects(kitchen.cook({}), { code: Code.Unavailable });
  await assert.rejects(all(kitchen.serve({})), { code: Code.Unavailable });
  assert.equal(attempts, 2);
});

test("an answer of one message that is lost with its connection is asked for again", async () => {
  let attempts = 0;
  await using server = await http2Server((stream) => {
    attempts += 1;
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    stream.session?.socket.resetAndDestroy();
  });
  await using kitchen = createClient(HARMLESS_KITCHEN, server.target, {
    interceptors: [retry({ startTimer })],
  });
  await assert.rejects(kitchen.cook({}), { code: Code.Unavailable });
  assert.equal(attempts, 3);
});

/** How many streams a server sees of a call that it refuses each time. */
async function refused(service: typeof Kitchen): Promise<number> {
  let streams = 0;
  await using server = await http2Server((stream: ServerHttp2Stream) => {
    streams += 1;
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
  });
  await using kitchen = createClient(service, server.target, { interceptors: [retry({ startTimer })] });
  await assert.rejects(kitchen.cook({}), { code: Code.Unavailable });
  return streams;
}

test("grpc-js sends a stream that was refused once more, within each attempt", async () => {
  assert.equal(await refused(Kitchen), 2);
  assert.equal(await refused(HARMLESS_KITCHEN), 6);
});
