import assert from "node:assert/strict";
import { test } from "node:test";
import { QuotaFailureSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Health } from "@gantry/proto/grpc/health/v1/health_pb.js";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import { createTestWorker, manualClock } from "../src/testing.ts";
import { greeter } from "./support/greeter.ts";
import { all, failsWith, kitchenInProcess } from "./support/in-process.ts";
import { kitchen } from "./support/kitchen.ts";

test("every kind of call is answered, and logged once, as over a socket", async () => {
  await using worker = await kitchenInProcess();
  const { client } = worker;
  assert.equal((await client.cook({ name: "soup" })).name, "soup");
  assert.deepEqual(
    (await all(client.serve({ count: 2 }))).map(({ count }) => count),
    [1, 2],
  );
  assert.equal((await client.collect([{ count: 3 }, { count: 4 }])).count, 7);
  assert.deepEqual(
    (await all(client.chat([{ name: "a" }, { name: "b" }]))).map(({ name }) => name),
    ["a", "b"],
  );
  assert.deepEqual(worker.ended(), [
    "kitchen.v1.Kitchen/Cook: OK",
    "kitchen.v1.Kitchen/Serve: OK",
    "kitchen.v1.Kitchen/Collect: OK",
    "kitchen.v1.Kitchen/Chat: OK",
  ]);
});

test("a chat is answered message by message, before its client has finished", async () => {
  await using worker = await kitchenInProcess();
  const answered = Promise.withResolvers<void>();
  async function* requests() {
    yield { name: "first" };
    await answered.promise;
    yield { name: "second" };
  }
  const replies = worker.client.chat(requests())[Symbol.asyncIterator]();
  assert.equal((await replies.next()).value?.name, "first");
  answered.resolve();
  assert.equal((await replies.next()).value?.name, "second");
  assert.equal((await replies.next()).done, true);
});

test("headers and trailers go both ways, headers at once where the handler sends them", async () => {
  const gate = Promise.withResolvers<void>();
  await using worker = await kitchenInProcess({
    cook(dish, { metadata, headers, trailers }) {
      headers.set("x-header", String(metadata.get("x-request")));
      trailers.set("x-trailer-bin", new Uint8Array([1, 2]));
      return dish;
    },
    async *serve(dish, call) {
      call.headers.set("x-early", "yes");
      call.sendHeaders();
      await gate.promise;
      yield dish;
    },
  });
  let headers: Metadata | undefined;
  let trailers: Metadata | undefined;
  await worker.client.cook(
    {},
    {
      headers: new Metadata([["x-request", "there"]]),
      onHeaders: (received) => {
        headers = received;
      },
      onTrailers: (received) => {
        trailers = received;
      },
    },
  );
  assert.equal(headers?.get("x-header"), "there");
  assert.deepEqual(trailers?.getBinary("x-trailer-bin"), new Uint8Array([1, 2]));

  const early = Promise.withResolvers<Metadata>();
  const served = all(worker.client.serve({}, { onHeaders: early.resolve }));
  assert.equal((await early.promise).get("x-early"), "yes");
  gate.resolve();
  assert.equal((await served).length, 1);
});

test("quotas hold, and move with the worker's clock", async () => {
  const clock = manualClock();
  await using worker = await createTestWorker({ services: [greeter], clock });
  const client = worker.client(Greeter);
  for (let at = 0; at < 60; at += 1) await client.sayHello({ name: "七米" });
  await assert.rejects(client.sayHello({ name: "七米" }), (error) => {
    assert.ok(error instanceof RpcError);
    assert.equal(error.code, Code.ResourceExhausted);
    assert.equal(error.details(QuotaFailureSchema)[0]?.violations[0]?.subject, "name:七米");
    return true;
  });
  assert.equal((await client.sayHello({ name: "another" })).reply, "Hello another");
  clock.advance(1_000);
  assert.equal((await client.sayHello({ name: "七米" })).reply, "Hello 七米");
});

test("requests are checked against their rules", async () => {
  await using worker = await createTestWorker({ services: [greeter] });
  await assert.rejects(worker.client(Greeter).sayHello({ name: "" }), failsWith(Code.InvalidArgument));
});

test("settings apply: past MAX_CALLS_IN_FLIGHT, calls are turned away", async () => {
  const gate = Promise.withResolvers<void>();
  await using worker = await kitchenInProcess(
    {
      async cook(dish) {
        await gate.promise;
        return dish;
      },
    },
    { settings: { maxCallsInFlight: 1 } },
  );
  const first = worker.client.cook({});
  await assert.rejects(worker.client.cook({}), failsWith(Code.Unavailable));
  gate.resolve();
  await first;
  await worker.client.cook({});
});

test("health is there as well, and a service that is not served is named", async () => {
  await using worker = await createTestWorker({ services: [kitchen()] });
  assert.equal((await worker.client(Health).check({ service: "kitchen.v1.Kitchen" })).status, 1);
  assert.throws(() => worker.client(Greeter), /does not serve greeter\.v1\.Greeter/);
});
