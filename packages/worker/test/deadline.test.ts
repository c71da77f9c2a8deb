import assert from "node:assert/strict";
import { constants } from "node:http2";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import type { CallContext } from "../src/call-context.ts";
import { framed, rawSession } from "./support/raw-http2.ts";
import { answerTo, assertServesOn, kitchenWorker, type PlainClient } from "./support/server.ts";
import { temporaryFile } from "./support/temporary-file.ts";

const COOK = "/kitchen.v1.Kitchen/Cook";
const EMPTY = framed(Buffer.alloc(0));
const KINDS = ["Cook", "Serve", "Collect", "Chat"] as const;

/** Handlers of every kind that do not end until they are told to, and what their signals told them. */
function waiting() {
  const reasons: unknown[] = [];
  const begun = Promise.withResolvers<void>();
  const wait = (call: CallContext) =>
    new Promise<never>((_, reject) => {
      begun.resolve();
      call.signal.addEventListener("abort", () => {
        reasons.push(call.signal.reason);
        reject(call.signal.reason);
      });
    });
  return {
    reasons,
    /** Resolves when the first of them runs. */
    begun: begun.promise,
    handlers: {
      cook: (_: unknown, call: CallContext) => wait(call),
      // biome-ignore lint/correctness/useYield: it never gets there
      async *serve(_: unknown, call: CallContext) {
        await wait(call);
      },
      collect: (_: unknown, call: CallContext) => wait(call),
      // biome-ignore lint/correctness/useYield: it never gets there
      async *chat(_: unknown, call: CallContext) {
        await wait(call);
      },
    },
  };
}

/** Handlers that do not end, whatever they are told. */
const stubborn = {
  cook: () => new Promise<never>(() => {}),
  async *serve() {
    await new Promise(() => {});
  },
  collect: () => new Promise<never>(() => {}),
  async *chat() {
    await new Promise(() => {});
  },
};

/** A call of any kind. */
function open(client: PlainClient, method: (typeof KINDS)[number], options = {}) {
  if (method === "Cook") {
    const answer = client.call("Cook", {}, options);
    return { answer, cancel: () => answer.cancel() };
  }
  if (method === "Collect") {
    const call = client.collect(options);
    return { answer: call.answer, cancel: () => call.cancel() };
  }
  const call = method === "Serve" ? client.serve({}, options) : client.chat(options);
  return { answer: answerTo(call), cancel: () => call.cancel() };
}

const once = (code: string) => Object.fromEntries(KINDS.map((method) => [method, { [code]: 1 }]));

for (const [name, handlers] of Object.entries({
  "heeds its signal": waiting().handlers,
  "ignores it": stubborn,
})) {
  test(`a deadline ends every kind of call in time, where the handler ${name}`, async () => {
    await using worker = await kitchenWorker(handlers);
    await worker.client.call("Ping");
    const before = performance.now();
    const deadline = Date.now() + 200;
    const answers = await Promise.all(
      KINDS.map((method) => open(worker.client, method, { deadline }).answer),
    );
    const ms = performance.now() - before;
    assert.deepEqual(new Set(answers.map(({ code }) => code)), new Set([status.DEADLINE_EXCEEDED]));
    assert.ok(ms < 1_000, `it took ${ms} ms`);
    await assertServesOn(worker, { ...once("DeadlineExceeded"), Ping: { OK: 1 } });
  });
}

test("the worker itself answers DEADLINE_EXCEEDED, whatever the client does about it", async () => {
  const { handlers, reasons } = waiting();
  await using worker = await kitchenWorker(handlers);
  await using raw = rawSession(worker.port);
  for (const method of KINDS) {
    const answer = await raw.call(`/kitchen.v1.Kitchen/${method}`, EMPTY, { "grpc-timeout": "50m" });
    assert.equal(answer.code, status.DEADLINE_EXCEEDED, method);
  }
  assert.deepEqual(
    reasons.map((reason) => String(reason).slice(0, 27)),
    KINDS.map(() => "RpcError: DEADLINE_EXCEEDED"),
  );
  await assertServesOn(worker, once("DeadlineExceeded"));
});

describe("the signal fires with CANCELLED when the client cancels", () => {
  for (const method of KINDS) {
    test(method, async () => {
      const { handlers, reasons, begun } = waiting();
      await using worker = await kitchenWorker(handlers);
      const call = open(worker.client, method);
      await begun;
      call.cancel();
      assert.equal((await call.answer).code, status.CANCELLED);
      await assertServesOn(worker, { [method]: { Canceled: 1 } });
      assert.match(String(reasons[0]), /^RpcError: CANCELLED/);
    });
  }
});

describe("a client that resets its call", () => {
  /** Begins a call with this timeout, and resets it when so much of it is over. */
  async function reset(timeoutMs: number, afterMs: number) {
    const { handlers, begun } = waiting();
    const worker = await kitchenWorker(handlers);
    await using raw = rawSession(worker.port);
    const stream = raw.open(COOK, { "grpc-timeout": `${timeoutMs}m` });
    stream.end(EMPTY);
    await begun;
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    stream.close(constants.NGHTTP2_CANCEL);
    return worker;
  }

  test("at its deadline, a moment before the worker's own, is counted DEADLINE_EXCEEDED", async () => {
    await using worker = await reset(300, 270);
    await assertServesOn(worker, { Cook: { DeadlineExceeded: 1 } });
  });

  test("long before its deadline is counted CANCELLED", async () => {
    await using worker = await reset(60_000, 0);
    await assertServesOn(worker, { Cook: { Canceled: 1 } });
  });
});

describe("grpc-timeout", () => {
  for (const timeout of ["0n", "1n", "0S", "999n"]) {
    test(`of ${timeout} is past: DEADLINE_EXCEEDED, and no handler runs`, async () => {
      let ran = false;
      await using worker = await kitchenWorker({
        cook: () => {
          ran = true;
          return {};
        },
      });
      await using raw = rawSession(worker.port);
      const { code } = await raw.call(COOK, EMPTY, { "grpc-timeout": timeout });
      assert.equal(code, status.DEADLINE_EXCEEDED);
      assert.equal(ran, false);
      await assertServesOn(worker, { Cook: { DeadlineExceeded: 1 } });
    });
  }

  for (const timeout of ["99999999H", "1000H", "597H", "99999999M", "99999999S", "99999999m", "596H"]) {
    test(`of ${timeout} leaves time`, async () => {
      await using worker = await kitchenWorker({
        cook: async (_, { deadline }) => {
          // A deadline that has passed would end the call here.
          await new Promise((resolve) => setTimeout(resolve, 20));
          return { count: Math.sign((deadline ?? 0) - Date.now()) };
        },
      });
      await using raw = rawSession(worker.port);
      const { code, messages } = await raw.call(COOK, EMPTY, { "grpc-timeout": timeout });
      assert.equal(code, status.OK);
      assert.deepEqual([...(messages[0]?.bytes ?? [])], [0x10, 1], "the deadline lies ahead");
      await assertServesOn(worker, { Cook: { OK: 1 } });
    });
  }

  for (const timeout of ["", "soon", "10", "S", "1.5S", "10s"]) {
    test(`that is none, as ${JSON.stringify(timeout)}, is INVALID_ARGUMENT`, async () => {
      await using worker = await kitchenWorker();
      await using raw = rawSession(worker.port);
      const { code, message } = await raw.call(COOK, EMPTY, { "grpc-timeout": timeout });
      assert.equal(code, status.INVALID_ARGUMENT);
      assert.match(message, /grpc-timeout/);
      await assertServesOn(worker, { Cook: { InvalidArgument: 1 } });
    });
  }
});

describe("a policy's timeout", () => {
  const policy = (timeout: string) =>
    temporaryFile("policy.yaml", `methods:\n  kitchen.v1.Kitchen/Cook:\n    timeout: ${timeout}\n`);
  const remaining = {
    cook: (_: unknown, { deadline }: CallContext) => ({ count: (deadline ?? 0) - Date.now() }),
  };

  test("default holds where the client sends none", async () => {
    await using file = await policy("{ default: 50ms }");
    await using worker = await kitchenWorker(stubborn, { env: { POLICY_FILE: file.path } });
    const { code } = await worker.client.call("Cook");
    assert.equal(code, status.DEADLINE_EXCEEDED);
    await assertServesOn(worker, { Cook: { DeadlineExceeded: 1 } });
  });

  test("default gives way to the client's own, longer or shorter", async () => {
    await using file = await policy("{ default: 30s }");
    await using worker = await kitchenWorker(remaining, { env: { POLICY_FILE: file.path } });
    const longer = await worker.client.call("Cook", {}, { deadline: Date.now() + 60_000 });
    assert.ok(Number(longer.replies[0]?.count) > 50_000);
    const shorter = await worker.client.call("Cook", {}, { deadline: Date.now() + 10_000 });
    assert.ok(Number(shorter.replies[0]?.count) <= 10_000);
  });

  test("max holds whatever the client asks for, or if it asks for nothing", async () => {
    await using file = await policy("{ max: 50ms }");
    await using worker = await kitchenWorker(stubborn, { env: { POLICY_FILE: file.path } });
    assert.equal((await worker.client.call("Cook")).code, status.DEADLINE_EXCEEDED);
    const { code } = await worker.client.call("Cook", {}, { deadline: Date.now() + 60_000 });
    assert.equal(code, status.DEADLINE_EXCEEDED);
    await assertServesOn(worker, { Cook: { DeadlineExceeded: 2 } });
  });

  test("max leaves a shorter deadline of the client's alone", async () => {
    await using file = await policy("{ default: 20s, max: 30s }");
    await using worker = await kitchenWorker(remaining, { env: { POLICY_FILE: file.path } });
    const { replies } = await worker.client.call("Cook", {}, { deadline: Date.now() + 5_000 });
    assert.ok(Number(replies[0]?.count) <= 5_000);
  });
});
