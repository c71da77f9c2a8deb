import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import { aborted, all, failsWith, kitchenInProcess } from "./support/in-process.ts";
import type { KitchenHandlers } from "./support/kitchen.ts";
import { temporaryFile } from "./support/temporary-file.ts";

describe("a deadline", () => {
  const stubborn: Partial<KitchenHandlers> = {
    cook: () => new Promise<never>(() => {}),
    async *serve() {
      await new Promise(() => {});
    },
    collect: () => new Promise<never>(() => {}),
    async *chat(dishes) {
      for await (const dish of dishes) yield dish;
    },
  };
  /** Requests of a client that falls silent. */
  async function* silent() {
    yield {};
    await new Promise(() => {});
  }

  test("of the client's ends every kind of call, whatever its handler does", async () => {
    await using worker = await kitchenInProcess(stubborn);
    const { client } = worker;
    const options = { timeoutMs: 50 };
    const calls = [
      client.cook({}, options),
      all(client.serve({}, options)),
      client.collect(silent(), options),
      all(client.chat(silent(), options)),
    ];
    const settled = await Promise.allSettled(calls);
    for (const call of settled)
      assert.ok(call.status === "rejected" && failsWith(Code.DeadlineExceeded)(call.reason));
    assert.equal(worker.ended().filter((line) => line.endsWith("DEADLINE_EXCEEDED")).length, 4);
  });

  test("of the policy's holds as well", async () => {
    await using file = await temporaryFile(
      "policy.yaml",
      "methods:\n  kitchen.v1.Kitchen/Cook:\n    timeout: { max: 50ms }\n",
    );
    await using worker = await kitchenInProcess(stubborn, { policyFile: file.path });
    await assert.rejects(worker.client.cook({}, { timeoutMs: 60_000 }), failsWith(Code.DeadlineExceeded));
  });

  test("that passes while the client is busy leaves the generator where it is", async () => {
    let produced = 0;
    const passed = Promise.withResolvers<void>();
    await using worker = await kitchenInProcess({
      async *serve(_, call) {
        void aborted(call).then(() => passed.resolve());
        for (;;) {
          produced += 1;
          yield {};
        }
      },
    });
    const replies = worker.client.serve({}, { timeoutMs: 50 })[Symbol.asyncIterator]();
    await replies.next();
    await passed.promise;
    await assert.rejects(replies.next(), failsWith(Code.DeadlineExceeded));
    assert.equal(produced, 1);
  });

  test("that is past already lets no handler run", async () => {
    let ran = false;
    await using worker = await kitchenInProcess({
      cook: () => {
        ran = true;
        return {};
      },
    });
    await assert.rejects(worker.client.cook({}, { timeoutMs: 0 }), failsWith(Code.DeadlineExceeded));
    assert.equal(ran, false);
  });
});

describe("a client that cancels", () => {
  test("fires the handler's signal, and the call is CANCELLED", async () => {
    const reasons: unknown[] = [];
    const begun = Promise.withResolvers<void>();
    await using worker = await kitchenInProcess({
      async cook(_, call) {
        begun.resolve();
        reasons.push(await aborted(call));
        return {};
      },
    });
    const cancel = new AbortController();
    const call = worker.client.cook({}, { signal: cancel.signal });
    await begun.promise;
    cancel.abort();
    await assert.rejects(call, failsWith(Code.Cancelled));
    assert.deepEqual(worker.ended(), ["kitchen.v1.Kitchen/Cook: CANCELLED"]);
    assert.match(String(reasons[0]), /^RpcError: CANCELLED/);
  });

  test("before it calls, calls nobody", async () => {
    let ran = false;
    await using worker = await kitchenInProcess({
      cook: () => {
        ran = true;
        return {};
      },
    });
    await assert.rejects(worker.client.cook({}, { signal: AbortSignal.abort() }), failsWith(Code.Cancelled));
    assert.equal(ran, false);
    assert.deepEqual(worker.ended(), ["kitchen.v1.Kitchen/Cook: CANCELLED"]);
  });

  test("by no longer reading ends the generator: its finally block runs", async () => {
    const cleanedUp = Promise.withResolvers<void>();
    await using worker = await kitchenInProcess({
      async *serve() {
        try {
          for (let count = 1; ; count += 1) yield { count };
        } finally {
          cleanedUp.resolve();
        }
      },
    });
    for await (const { count } of worker.client.serve({})) if (count === 3) break;
    await cleanedUp.promise;
    assert.deepEqual(worker.ended(), ["kitchen.v1.Kitchen/Serve: CANCELLED"]);
  });

  test("frees a handler that waits for its next message", async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    await using worker = await kitchenInProcess({
      async collect(dishes) {
        try {
          for await (const _ of dishes) begun.resolve();
        } catch (error) {
          ended.resolve(error);
        }
        return {};
      },
    });
    async function* requests() {
      yield {};
      await new Promise(() => {});
    }
    const cancel = new AbortController();
    const call = worker.client.collect(requests(), { signal: cancel.signal });
    await begun.promise;
    cancel.abort();
    await assert.rejects(call, failsWith(Code.Cancelled));
    assert.match(String(await ended.promise), /^RpcError: CANCELLED/);
  });
});

describe("a handler that fails", () => {
  test("is INTERNAL to its client and a stack in the log, in every kind of call", async () => {
    const fail = (): never => {
      throw new Error("the secret recipe");
    };
    await using worker = await kitchenInProcess({
      cook: fail,
      async *serve() {
        yield {};
        fail();
      },
      collect: async () => fail(),
      // biome-ignore lint/correctness/useYield: it never gets there
      async *chat() {
        fail();
      },
    });
    const { client, lines } = worker;
    const neutral = failsWith(Code.Internal, /^The service failed in a way that it did not expect/);
    await assert.rejects(client.cook({}), neutral);
    const served: unknown[] = [];
    await assert.rejects(async () => {
      for await (const dish of client.serve({})) served.push(dish);
    }, neutral);
    assert.equal(served.length, 1);
    await assert.rejects(client.collect([]), neutral);
    await assert.rejects(all(client.chat([])), neutral);
    const stacks = lines.filter(({ err }) => /the secret recipe.*at fail/.test(JSON.stringify(err)));
    assert.equal(stacks.length, 4);
    assert.equal(worker.ended().filter((line) => line.endsWith("INTERNAL")).length, 4);
  });

  test("an RpcError arrives as it was thrown", async () => {
    const thrown = new RpcError(Code.NotFound, "沒有食材", [], {
      metadata: new Metadata([["x-why", "sold out"]]),
    });
    await using worker = await kitchenInProcess({
      cook: () => {
        throw thrown;
      },
    });
    let trailers: Metadata | undefined;
    const call = worker.client.cook(
      {},
      {
        onTrailers: (received) => {
          trailers = received;
        },
      },
    );
    await assert.rejects(call, thrown);
    assert.equal(trailers?.get("x-why"), "sold out");
  });

  test("so does what a method left out answers", async () => {
    await using worker = await kitchenInProcess();
    await assert.rejects(worker.client.invent({}), failsWith(Code.Unimplemented));
    assert.deepEqual(worker.ended(), ["kitchen.v1.Kitchen/Invent: UNIMPLEMENTED"]);
  });

  test("is not to blame where the client's own requests fail: that is CANCELLED, and says why", async () => {
    await using worker = await kitchenInProcess();
    const cause = new Error("no more ingredients");
    async function* requests() {
      yield {};
      throw cause;
    }
    await assert.rejects(worker.client.collect(requests()), (error) => {
      assert.ok(error instanceof RpcError);
      assert.equal(error.code, Code.Cancelled);
      assert.equal(error.cause, cause);
      return true;
    });
    assert.deepEqual(worker.ended(), ["kitchen.v1.Kitchen/Collect: CANCELLED"]);
  });
});
