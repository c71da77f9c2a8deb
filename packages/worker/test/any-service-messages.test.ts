import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { DishSchema } from "./support/kitchen.ts";
import { framed, rawSession } from "./support/raw-http2.ts";
import { answerTo, assertServesOn, kitchenWorker } from "./support/server.ts";

const MIB = 1024 * 1024;
const COOK = "/kitchen.v1.Kitchen/Cook";

describe("any message that protobuf can describe", () => {
  test("may be empty: no byte comes, and none goes", async () => {
    await using worker = await kitchenWorker();
    await using raw = rawSession(worker.port);
    for (const method of ["Ping", "Cook"]) {
      const { code, messages } = await raw.call(`/kitchen.v1.Kitchen/${method}`, framed(Buffer.alloc(0)));
      assert.equal(code, status.OK);
      assert.deepEqual(
        messages.map(({ bytes }) => bytes.length),
        [0],
      );
    }
  });

  test("may have 3 MiB, both ways, in every kind of call", async () => {
    await using worker = await kitchenWorker({
      async *serve(dish) {
        yield dish;
        yield dish;
      },
      async collect(dishes) {
        const fillings: Uint8Array[] = [];
        for await (const { filling } of dishes) fillings.push(filling);
        return { filling: fillings.at(-1) ?? new Uint8Array(), count: fillings.length };
      },
    });
    const filling = Buffer.alloc(3 * MIB, "七米");
    const cooked = await worker.client.call("Cook", { filling });
    const served = await answerTo(worker.client.serve({ filling }));
    const collect = worker.client.collect();
    const chat = worker.client.chat();
    const chatted = answerTo(chat);
    for (const call of [collect, chat]) {
      call.write({ filling });
      call.write({ filling });
      call.end();
    }
    const replies = [cooked, served, await collect.answer, await chatted].flatMap((answer) => answer.replies);
    assert.equal(replies.length, 1 + 2 + 1 + 2);
    for (const reply of replies) assert.ok(filling.equals(reply.filling ?? Buffer.alloc(0)));
  });

  test("keeps the fields that this release does not know, at every depth", async () => {
    await using worker = await kitchenWorker();
    await using raw = rawSession(worker.port);
    // Fields 1000 (a varint) and 1001 (bytes), in the dish and in one of its sides.
    const unknown = Buffer.from([0xc0, 0x3e, 0x96, 0x01, 0xca, 0x3e, 0x02, 0xff, 0xfe]);
    const dish = Buffer.concat([Buffer.from([0x0a, 0x01, 0x41, 0x22, unknown.length]), unknown, unknown]);
    const { messages } = await raw.call(COOK, framed(dish));
    assert.deepEqual(messages[0]?.bytes, dish);
  });

  test("comes back whole: lists, maps, and messages in messages", async () => {
    await using worker = await kitchenWorker();
    await using raw = rawSession(worker.port);
    const dish = create(DishSchema, {
      name: "𝄞 と\u0000NUL",
      count: -(2 ** 31),
      filling: Uint8Array.from({ length: 256 }, (_, at) => at),
      sides: [{ name: "rice", sides: [{ name: "sesame" }] }, {}],
      sauces: { "": { name: "none" }, soy: { count: 2 ** 31 - 1 } },
    });
    const bytes = Buffer.from(toBinary(DishSchema, dish));
    const { messages } = await raw.call(COOK, framed(bytes));
    assert.deepEqual(messages[0]?.bytes, bytes);
  });
});

test("a message in messages beyond measure is refused as no message", async () => {
  await using worker = await kitchenWorker();
  await using raw = rawSession(worker.port);
  // Field 4, a dish in a dish in a dish …: from the inside out, each with its length.
  const parts: Buffer[] = [];
  for (let bytes = 0; bytes < 300_000; ) {
    const length: number[] = [];
    for (let rest = bytes; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    parts.push(Buffer.from([0x22, ...length]));
    bytes += 1 + length.length;
  }
  const { code, message } = await raw.call(COOK, framed(Buffer.concat(parts.reverse())));
  assert.equal(code, status.INVALID_ARGUMENT);
  assert.match(message, /^The request is no kitchen\.v1\.Dish/);
  await assertServesOn(worker, { Cook: { InvalidArgument: 1 } });
});

describe("aliases", () => {
  const options = { aliases: ["Kitchen", "old.v0.Kitchen"] };

  test("serve every method under other names, and count it under the service's own", async () => {
    await using worker = await kitchenWorker(
      { cook: (_, { method }) => ({ name: method.name }) },
      { options },
    );
    for (const name of options.aliases) {
      const cooked = await worker.client.call("Cook", {}, { path: `/${name}/Cook` });
      assert.deepEqual(cooked.replies, [{ name: "kitchen.v1.Kitchen/Cook" }]);
    }
    const served = await answerTo(worker.client.serve({ count: 2 }, { path: "/Kitchen/Serve" }));
    assert.equal(served.replies.length, 2);
    await assertServesOn(worker, { Cook: { OK: 2 }, Serve: { OK: 1 } });
    assert.doesNotMatch(await worker.metrics(), /grpc_service="(Kitchen|old\.v0\.Kitchen)"/);
  });

  test("have no other methods than the service, and no other name is one", async () => {
    await using worker = await kitchenWorker({}, { options });
    for (const path of ["/Kitchen/Bake", "/Kitchen/Invent", "/old.Kitchen/Cook", "/v1.Kitchen/Cook"]) {
      assert.equal((await worker.client.call("Cook", {}, { path })).code, status.UNIMPLEMENTED, path);
    }
    await assertServesOn(worker, { Invent: { Unimplemented: 1 } });
  });

  test("that another service has already stop the start", async () => {
    await assert.rejects(kitchenWorker({}, { options: { aliases: ["grpc.health.v1.Health"] } }), {
      message: /"grpc\.health\.v1\.Health" is the name of two services/,
    });
  });
});
