import assert from "node:assert/strict";
import { test } from "node:test";
import { toJson } from "@bufbuild/protobuf";
import {
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import { implement, unimplemented } from "../src/implement.ts";
import { createTestWorker, manualClock } from "../src/testing.ts";
import { temporaryFile } from "./support/temporary-file.ts";

const greeter = implement(Greeter, {
  sayHello: ({ name }) => ({ reply: `Hello ${name}` }),
  lotsOfReplies: unimplemented,
  lotsOfGreetings: unimplemented,
  bidiHello: unimplemented,
});

/** A worker that greets under these quotas, and what one call of it comes to. */
async function greetUnder(...quotas: string[]) {
  const clock = manualClock();
  const policy = `methods: { greeter.v1.Greeter/SayHello: { quotas: [${quotas.join(", ")}] } }`;
  await using file = await temporaryFile("policy.yaml", policy);
  const worker = await createTestWorker({ services: [greeter], clock, policyFile: file.path });
  const client = worker.client(Greeter);
  const greet = async (name: string, headers = new Metadata()) => {
    let trailers = new Metadata();
    const error = await client.sayHello({ name }, { headers, onTrailers: (sent) => (trailers = sent) }).then(
      () => undefined,
      (thrown) => thrown,
    );
    const rateLimit = ["limit", "remaining", "reset"].map((key) => trailers.get(`ratelimit-${key}`));
    return { error, rateLimit, pushback: trailers.get("grpc-retry-pushback-ms") };
  };
  return { clock, greet, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
}

function detailsOf(error: unknown) {
  assert.ok(error instanceof RpcError);
  assert.equal(error.code, Code.ResourceExhausted);
  return {
    violations: error.details(QuotaFailureSchema).flatMap(({ violations }) => violations),
    info: error
      .details(ErrorInfoSchema)
      .map(({ reason, domain, metadata }) => ({ reason, domain, metadata })),
    retry: error.details(RetryInfoSchema).map((info) => toJson(RetryInfoSchema, info)),
    message: error.message,
  };
}

test("a refused call says which quota, whose, what it allows and when to come again", async () => {
  await using worker = await greetUnder("{ id: per-name, subject: request.name, limit: 2, window: 3s }");
  await worker.greet("七米");
  await worker.greet("七米");
  worker.clock.advance(250);
  const { error, pushback } = await worker.greet("七米");
  const { violations, info, retry, message } = detailsOf(error);
  assert.deepEqual(
    violations.map(({ $typeName, ...fields }) => fields),
    [
      {
        subject: "name:七米",
        description: "at most 2 calls per 3s for each name",
        apiService: "greeter.v1.Greeter",
        quotaMetric: "calls",
        quotaId: "per-name",
        quotaDimensions: { name: "七米" },
        quotaValue: 2n,
      },
    ],
  );
  assert.deepEqual(info, [
    { reason: "QUOTA_EXCEEDED", domain: "greeter.v1.Greeter", metadata: { quotaId: "per-name" } },
  ]);
  assert.deepEqual(retry, [{ retryDelay: "1.250s" }]);
  assert.equal(pushback, "1250");
  assert.equal(
    message,
    'Quota "per-name" is used up for name:七米: at most 2 calls per 3s for each name. Try again in 1.25s.',
  );
});

test("a call that comes again after the delay it was told passes", async () => {
  await using worker = await greetUnder("{ id: per-name, subject: request.name, limit: 3, window: 10s }");
  for (let call = 0; call < 3; call += 1) assert.equal((await worker.greet("七米")).error, undefined);
  const { pushback } = await worker.greet("七米");
  assert.equal(pushback, "3334");
  worker.clock.advance(3_333);
  assert.notEqual((await worker.greet("七米")).error, undefined);
  worker.clock.advance(1);
  assert.equal((await worker.greet("七米")).error, undefined);
});

test("where no wait will help there is no delay, and the client's library is told not to retry", async () => {
  await using worker = await greetUnder("{ id: greet-once, subject: request.name, limit: 1 }");
  await worker.greet("七米");
  const { error, pushback } = await worker.greet("七米");
  const { violations, retry, message } = detailsOf(error);
  assert.equal(violations[0]?.description, "at most 1 call for each name, for as long as the worker lives");
  assert.deepEqual(retry, []);
  assert.equal(pushback, "-1");
  assert.match(message, /No wait will help\.$/);
});

test("a limit of 0 is told like any other, without a delay", async () => {
  await using worker = await greetUnder("{ id: closed, limit: 0, window: 1s }");
  const { error, pushback } = await worker.greet("七米");
  const { violations, retry } = detailsOf(error);
  assert.equal(violations[0]?.subject, "method:greeter.v1.Greeter/SayHello");
  assert.equal(violations[0]?.description, "at most 0 calls per 1s for all callers together");
  assert.deepEqual([retry, pushback], [[], "-1"]);
});

test("every quota that refuses has its violation, and the longest delay is the one that counts", async () => {
  await using worker = await greetUnder(
    "{ id: short, subject: request.name, limit: 1, window: 1s }",
    "{ id: long, subject: metadata.x-user, limit: 1, window: 5s }",
    "{ id: roomy, subject: peer, limit: 100, window: 1s }",
  );
  const headers = new Metadata([["x-user", "seven"]]);
  await worker.greet("七米", headers);
  const { error, pushback } = await worker.greet("七米", headers);
  const { violations, info, retry } = detailsOf(error);
  assert.deepEqual(
    violations.map(({ subject, quotaId }) => [subject, quotaId]),
    [
      ["name:七米", "short"],
      ["x-user:seven", "long"],
    ],
  );
  assert.deepEqual(info[0]?.metadata, { quotaId: "long" });
  assert.deepEqual([retry, pushback], [[{ retryDelay: "5s" }], "5000"]);
});

test("a delay past the 32 bits that a client reads is cut to them, and exact in RetryInfo", async () => {
  await using worker = await greetUnder("{ id: yearly, limit: 1, window: 8760h }");
  await worker.greet("七米");
  const { error, pushback } = await worker.greet("七米");
  assert.equal(pushback, String(2 ** 31 - 1));
  assert.deepEqual(detailsOf(error).retry, [{ retryDelay: `${8760 * 3600}s` }]);
});

test("a subject of any length is told in at most 128 characters, and never in half of one", async () => {
  await using worker = await greetUnder("{ id: per-name, subject: request.name, limit: 0 }");
  const { error } = await worker.greet(`${"x".repeat(126)}😀${"y".repeat(1_000)}`);
  const { violations, message } = detailsOf(error);
  const [violation] = violations;
  const told = violation?.quotaDimensions.name ?? "";
  assert.equal(told.length, 128);
  assert.ok(told.endsWith("…") && told.isWellFormed());
  assert.equal(violation?.subject, `name:${told}`);
  assert.ok(message.includes(told) && message.isWellFormed());
});

test("allowed calls carry the limit, what is left, and the whole seconds until all is there again", async () => {
  await using worker = await greetUnder("{ id: per-name, subject: request.name, limit: 3, window: 4s }");
  assert.deepEqual((await worker.greet("七米")).rateLimit, ["3", "2", "2"]);
  assert.deepEqual((await worker.greet("七米")).rateLimit, ["3", "1", "3"]);
  assert.deepEqual((await worker.greet("小明")).rateLimit, ["3", "2", "2"]);
});

test("a quota that never refills has no reset", async () => {
  await using worker = await greetUnder("{ id: greet-once, subject: request.name, limit: 2 }");
  assert.deepEqual((await worker.greet("七米")).rateLimit, ["2", "1", undefined]);
});

test("of several quotas, the one with least left is told", async () => {
  await using worker = await greetUnder(
    "{ id: roomy, subject: peer, limit: 5, window: 5s }",
    "{ id: tight, subject: request.name, limit: 2 }",
  );
  assert.deepEqual((await worker.greet("七米")).rateLimit, ["2", "1", undefined]);
  for (const name of ["小明", "小红"]) await worker.greet(name);
  assert.deepEqual((await worker.greet("小刚")).rateLimit, ["5", "1", "4"]);
});

test("without quotas a call carries none of it", async () => {
  await using worker = await greetUnder();
  const { error, rateLimit } = await worker.greet("七米");
  assert.deepEqual([error, rateLimit], [undefined, [undefined, undefined, undefined]]);
});
