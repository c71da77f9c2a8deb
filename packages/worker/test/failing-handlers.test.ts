import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { BadRequestSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { StatusSchema } from "@gantry/proto/google/rpc/status_pb.js";
import { status } from "@grpc/grpc-js";
import { type Answer, answerTo, type KitchenProcess, kitchenProcess } from "./support/server.ts";

const NEUTRAL =
  /^The service failed in a way that it did not expect; its log says more under trace id ([0-9a-f]{32})\.$/;

let worker: KitchenProcess;
before(async () => {
  worker = await kitchenProcess(new URL("./mains/failing.ts", import.meta.url));
});
after(async () => {
  assert.equal(await worker.stop(), 0, "it is still alive, and drains");
});

/** The answer tells nothing but where the log does; and there, the stack and what was thrown. */
async function assertLogged(answer: Answer, thrown: RegExp) {
  assert.equal(answer.code, status.INTERNAL, answer.details);
  const [, traceId] = NEUTRAL.exec(answer.details) ?? [];
  assert.ok(traceId, answer.details);
  const line = await worker.logged((line) => line.trace_id === traceId && line.msg === "the handler threw");
  assert.equal(line.level, "error");
  assert.match(JSON.stringify(line.err), thrown);
  const ended = await worker.logged((line) => line.trace_id === traceId && line.msg === "call");
  assert.equal(ended.code, "INTERNAL");
  return line;
}

describe("a unary handler", () => {
  const ways = [
    { way: "that throws", name: "throws", logs: /Error: the secret recipe: throws\\n {4}at fail / },
    { way: "that is rejected", name: "rejected", logs: /Error: the secret recipe: rejected\\n/ },
    {
      way: "whose reply cannot be encoded",
      name: "unsendable",
      logs: /cannot encode field kitchen.v1.Dish.count/,
    },
    { way: "that gives back nothing", name: "missing", logs: /TypeError/ },
    { way: "that throws a text", name: "text", logs: /the secret recipe/ },
    { way: "that throws nothing", name: "nothing", logs: /TypeError: The handler threw undefined/ },
    { way: "that throws an OK", name: "OK", logs: /the secret recipe/ },
  ];
  for (const { way, name, logs } of ways) {
    test(`${way} is INTERNAL to the client, and a stack in the log`, async () => {
      const counted = await worker.counting(async () => {
        await assertLogged(await worker.client.call("Cook", { name }), logs);
      });
      assert.deepEqual(counted, { Cook: { Internal: 1 } });
    });
  }

  test("that throws after its client has left is in the log, and the call was counted once", async () => {
    const counted = await worker.counting(async () => {
      const call = worker.client.call("Cook", { name: "late" }, { deadline: Date.now() + 100 });
      assert.equal((await call).code, status.DEADLINE_EXCEEDED);
      const line = await worker.logged(({ err }) => /the secret recipe: late/.test(JSON.stringify(err)));
      assert.equal(line.method, "kitchen.v1.Kitchen/Cook");
      assert.match(String(line.trace_id), /^[0-9a-f]{32}$/);
    });
    assert.deepEqual(counted, { Cook: { DeadlineExceeded: 1 } });
  });
});

describe("a stream's handler", () => {
  for (const count of [0, 3]) {
    test(`that throws after ${count} messages has them arrive before INTERNAL`, async () => {
      const counted = await worker.counting(async () => {
        const answer = await answerTo(worker.client.serve({ name: "served", count }));
        await assertLogged(answer, /the secret recipe: served\\n {4}at fail /);
        assert.deepEqual(
          answer.replies,
          Array.from({ length: count }, (_, at) => ({ count: at + 1 })),
        );
      });
      assert.deepEqual(counted, { Serve: { Internal: 1 } });
    });
  }

  const ways = [
    { way: "that throws before there is a stream", name: "called", logs: /the secret recipe: called/ },
    { way: "that throws nothing", name: "nothing", logs: /TypeError: The handler threw undefined/ },
    { way: "that is a rejected promise instead", name: "promised", logs: /the secret recipe/ },
    {
      way: "whose iterator throws instead of rejecting",
      name: "iterated",
      logs: /the secret recipe: iterated/,
    },
  ];
  for (const { way, name, logs } of ways) {
    test(`${way} is INTERNAL`, async () => {
      const counted = await worker.counting(async () => {
        await assertLogged(await answerTo(worker.client.serve({ name })), logs);
      });
      assert.deepEqual(counted, { Serve: { Internal: 1 } });
    });
  }

  test("whose message cannot be encoded is INTERNAL behind those that can", async () => {
    const counted = await worker.counting(async () => {
      const answer = await answerTo(worker.client.serve({ name: "unsendable", count: 1 }));
      await assertLogged(answer, /count/);
      assert.equal(answer.replies.length, 1);
    });
    assert.deepEqual(counted, { Serve: { Internal: 1 } });
  });

  test("that throws while its client still streams is INTERNAL", async () => {
    const counted = await worker.counting(async () => {
      const call = worker.client.collect();
      call.write({ name: "collected" });
      await assertLogged(await call.answer, /the secret recipe: collected/);
    });
    assert.deepEqual(counted, { Collect: { Internal: 1 } });
  });

  test("that throws in a chat is INTERNAL behind what it answered", async () => {
    const counted = await worker.counting(async () => {
      const call = worker.client.chat();
      const answer = answerTo(call);
      call.write({ name: "well", count: 1 });
      call.write({ name: "chatted", count: 2 });
      await assertLogged(await answer, /the secret recipe: chatted/);
      assert.deepEqual((await answer).replies, [{ count: 1 }, { count: 2 }]);
    });
    assert.deepEqual(counted, { Chat: { Internal: 1 } });
  });

  test("that throws after its client has left is in the log, and the call was counted once", async () => {
    const counted = await worker.counting(async () => {
      const served = worker.client.serve({ name: "late", count: 1 });
      served.once("data", () => served.cancel());
      assert.equal((await answerTo(served)).code, status.CANCELLED);
      const line = await worker.logged(
        ({ method, err }) => String(method).endsWith("/Serve") && /: late/.test(JSON.stringify(err)),
      );
      assert.equal(line.msg, "the handler threw");
    });
    assert.deepEqual(counted, { Serve: { Canceled: 1 } });
  });
});

describe("an RpcError", () => {
  test("arrives with its code, its words and its details at a plain client, and is no error in the log", async () => {
    const counted = await worker.counting(async () => {
      const { code, details, trailers } = await worker.client.call("Cook", { name: "refuse" });
      assert.equal(code, status.FAILED_PRECONDITION);
      assert.equal(details, "沒有食材 🍜");
      const [bytes] = trailers.get("grpc-status-details-bin");
      assert.ok(Buffer.isBuffer(bytes));
      const sent = fromBinary(StatusSchema, bytes);
      assert.equal(sent.code, status.FAILED_PRECONDITION);
      assert.equal(sent.message, "沒有食材 🍜");
      const badRequest = sent.details[0] && anyUnpack(sent.details[0], BadRequestSchema);
      assert.deepEqual(
        badRequest?.fieldViolations.map(({ field, description, reason }) => ({ field, description, reason })),
        [{ field: "name", description: "不在菜單上", reason: "UNKNOWN_DISH" }],
      );
      const line = await worker.logged((line) => line.code === "FAILED_PRECONDITION");
      assert.equal(line.level, "warn");
    });
    assert.deepEqual(counted, { Cook: { FailedPrecondition: 1 } });
  });

  test("thrown in a stream arrives the same way, behind the messages", async () => {
    const { code, replies, trailers } = await answerTo(worker.client.serve({ name: "refuse", count: 2 }));
    assert.equal(code, status.FAILED_PRECONDITION);
    assert.equal(replies.length, 2);
    assert.equal(trailers.get("grpc-status-details-bin").length, 1);
  });
});
