import assert from "node:assert/strict";
import { test } from "node:test";
import { QuotaFailureSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter, type HelloRequest } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import { type Handlers, implement, unimplemented } from "../src/implement.ts";
import { createTestWorker, manualClock } from "../src/testing.ts";
import { temporaryFile } from "./support/temporary-file.ts";

async function namesOf(requests: AsyncIterable<HelloRequest>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of requests) names.push(name);
  return names;
}

const HANDLERS: Handlers<typeof Greeter> = {
  sayHello: ({ name }) => ({ reply: name }),
  lotsOfReplies: unimplemented,
  lotsOfGreetings: async (requests) => ({ reply: (await namesOf(requests)).join(" ") }),
  async *bidiHello(requests) {
    for await (const { name } of requests) yield { reply: name };
  },
};

/** A worker whose methods all have these quotas. */
async function workerUnder(quotas: string, handlers: Partial<Handlers<typeof Greeter>> = {}) {
  const clock = manualClock();
  const policies = ["SayHello", "LotsOfGreetings", "BidiHello"]
    .map((method) => `greeter.v1.Greeter/${method}: { quotas: [${quotas}] }`)
    .join(", ");
  await using file = await temporaryFile("policy.yaml", `methods: { ${policies} }`);
  const services = [implement(Greeter, { ...HANDLERS, ...handlers })];
  const worker = await createTestWorker({ services, clock, policyFile: file.path });
  let trailers = new Metadata();
  return {
    clock,
    client: worker.client(Greeter),
    options: { onTrailers: (sent: Metadata) => (trailers = sent) },
    trailer: (key: string) => trailers.get(key),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}

function greetings(count: number, name = "七米") {
  return Array.from({ length: count }, () => ({ name }));
}

function refusedBy(id: string) {
  return (error: unknown) => {
    assert.ok(error instanceof RpcError);
    assert.equal(error.code, Code.ResourceExhausted);
    const [failure] = error.details(QuotaFailureSchema);
    assert.deepEqual(
      failure?.violations.map(({ quotaId, quotaMetric }) => [quotaId, quotaMetric]),
      [[id, "messages"]],
    );
    return true;
  };
}

test("every message of a stream counts, and the one too many ends the call", async () => {
  await using worker = await workerUnder("{ id: messages, limit: 3, window: 3s, per: MESSAGE }");
  const reply = await worker.client.lotsOfGreetings(greetings(3), worker.options);
  assert.equal(reply.reply, "七米 七米 七米");
  assert.equal(worker.trailer("ratelimit-remaining"), "0");
  worker.clock.advance(1_000);
  await assert.rejects(worker.client.lotsOfGreetings(greetings(2), worker.options), refusedBy("messages"));
  assert.equal(worker.trailer("grpc-retry-pushback-ms"), "1000");
});

test("a stream is answered up to the message that is refused", async () => {
  await using worker = await workerUnder("{ id: messages, subject: request.name, limit: 1, per: MESSAGE }");
  const replies: string[] = [];
  const chat = async () => {
    const requests = [...greetings(1, "七米"), ...greetings(1, "小明"), ...greetings(1, "七米")];
    for await (const { reply } of worker.client.bidiHello(requests)) replies.push(reply);
  };
  await assert.rejects(chat(), refusedBy("messages"));
  assert.deepEqual(replies, ["七米", "小明"]);
});

test("a quota on calls counts a stream once, when it opens", async () => {
  await using worker = await workerUnder("{ id: opened, subject: peer, limit: 2 }");
  for (let call = 0; call < 2; call += 1) await worker.client.lotsOfGreetings(greetings(50));
  await assert.rejects(worker.client.lotsOfGreetings(greetings(1)), { code: Code.ResourceExhausted });
});

test("a stream that opens within its quota carries the tightest of its quotas, on calls or on messages", async () => {
  const quotas = "{ id: opened, limit: 4 }, { id: messages, limit: 8, per: MESSAGE }";
  await using worker = await workerUnder(quotas);
  await worker.client.lotsOfGreetings(greetings(1), worker.options);
  assert.deepEqual([worker.trailer("ratelimit-limit"), worker.trailer("ratelimit-remaining")], ["4", "3"]);
  await worker.client.lotsOfGreetings(greetings(6), worker.options);
  assert.deepEqual([worker.trailer("ratelimit-limit"), worker.trailer("ratelimit-remaining")], ["8", "1"]);
});

test("a call of one message counts as one message, and is charged for call and message together", async () => {
  const quotas = "{ id: opened, limit: 2 }, { id: messages, subject: request.name, limit: 1, per: MESSAGE }";
  await using worker = await workerUnder(quotas);
  await worker.client.sayHello({ name: "七米" });
  await assert.rejects(worker.client.sayHello({ name: "七米" }), refusedBy("messages"));
  await worker.client.sayHello({ name: "小明" });
});

test("a handler that takes no notice of the refusal does not get its call through", async () => {
  await using worker = await workerUnder("{ id: messages, limit: 1, per: MESSAGE }", {
    lotsOfGreetings: async (requests) => {
      await namesOf(requests).catch(() => {});
      return { reply: "never mind" };
    },
  });
  await assert.rejects(worker.client.lotsOfGreetings(greetings(2)), refusedBy("messages"));
});

test("a handler that leaves a stream early is charged for the messages that it took", async () => {
  await using worker = await workerUnder("{ id: messages, limit: 3, per: MESSAGE }", {
    lotsOfGreetings: async (requests) => {
      for await (const { name } of requests) return { reply: name };
      return {};
    },
  });
  await worker.client.lotsOfGreetings(greetings(50), worker.options);
  assert.equal(worker.trailer("ratelimit-remaining"), "2");
});
