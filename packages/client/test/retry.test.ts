import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, Metadata } from "@gantry/rpc";
import { type ClientInterceptor, createClient, retry } from "../src/index.ts";
import { failingKitchen, failure, HARMLESS, unavailable } from "./support/failing-kitchen.ts";
import { hastyTimers, kitchenWith, type Words } from "./support/kitchen-with.ts";
import { kitchenWorker } from "./support/worker.ts";

for (const level of ["NO_SIDE_EFFECTS", "IDEMPOTENT"] as const) {
  test(`a method that is ${level} has three attempts, 50 and 100 ms apart`, async () => {
    await using server = await failingKitchen({ level }, [unavailable(), unavailable()]);
    assert.equal((await server.kitchen.cook({})).name, "cooked");
    assert.deepEqual(server.delays, [50, 100]);
  });
}

test("the call fails with the error of its last attempt", async () => {
  const errors = ["first", "second", "third", "fourth"].map((message) => unavailable(message));
  await using server = await failingKitchen(HARMLESS, errors);
  await assert.rejects(server.kitchen.cook({}), { code: Code.Unavailable, message: "third" });
  assert.equal(server.attempts.length, 3);
});

test("each attempt after the first says how many came before it", async () => {
  await using server = await failingKitchen(HARMLESS, [unavailable(), unavailable()]);
  await server.kitchen.cook({});
  assert.deepEqual(
    server.attempts.map((metadata) => metadata.get("grpc-previous-rpc-attempts")),
    [undefined, "1", "2"],
  );
});

test("a call that a server has seen is not repeated where its method may have side effects", async () => {
  await using server = await failingKitchen({}, [unavailable()]);
  await assert.rejects(server.kitchen.cook({}), { code: Code.Unavailable });
  assert.equal(server.attempts.length, 1);
});

test("no failure but UNAVAILABLE is repeated where the proto says nothing", async () => {
  const others = Object.values(Code).filter((code) => code !== Code.Ok && code !== Code.Unavailable);
  const errors = others.map((code) => failure(code, "no"));
  await using server = await failingKitchen(HARMLESS, errors);
  for (const code of others) await assert.rejects(server.kitchen.cook({}), { code });
  assert.equal(server.attempts.length, others.length);
});

test("the proto's policy says which codes, how often and how far apart, side effects or none", async () => {
  const retry = {
    maxAttempts: 5,
    initialBackoff: { nanos: 10_000_000 },
    maxBackoff: { nanos: 30_000_000 },
    codes: [Code.Aborted, Code.ResourceExhausted],
  };
  const errors = [Code.Aborted, Code.ResourceExhausted, Code.Aborted, Code.Aborted, Code.Aborted];
  await using server = await failingKitchen(
    { policy: { retry } },
    errors.map((code) => failure(code, "again")),
  );
  await assert.rejects(server.kitchen.cook({}), { code: Code.Aborted });
  assert.equal(server.attempts.length, 5);
  assert.deepEqual(server.delays, [10, 20, 30, 30]);
  await using unlisted = await failingKitchen({ ...HARMLESS, policy: { retry } }, [unavailable()]);
  await assert.rejects(unlisted.kitchen.cook({}), { code: Code.Unavailable });
});

test("a policy of one attempt is one of none after it", async () => {
  const once: Words = { ...HARMLESS, policy: { retry: { maxAttempts: 1 } } };
  await using server = await failingKitchen(once, [unavailable()]);
  await assert.rejects(server.kitchen.cook({}), { code: Code.Unavailable });
  assert.equal(server.attempts.length, 1);
});

test("pauses have a jitter of 20 % either way", async () => {
  for (const [random, delays] of [
    [0, [40, 80]],
    [1, [60, 120]],
  ] as const) {
    const options = { random: () => random };
    await using server = await failingKitchen(HARMLESS, [unavailable(), unavailable()], options);
    await server.kitchen.cook({});
    assert.deepEqual(server.delays.map(Math.round), delays);
  }
});

test("a policy that cannot be held is told when the client is made, with the method's name", () => {
  const wrong = kitchenWith({ Ping: { policy: { retry: { maxAttempts: 9, codes: [Code.Ok] } } } });
  assert.throws(() => createClient(wrong, "localhost:1", { interceptors: [retry()] }), {
    name: "TypeError",
    message: [
      "kitchen.v1.Kitchen/Ping: retry.max_attempts is 9: expected 1 to 5",
      "kitchen.v1.Kitchen/Ping: retry.codes names OK: expected codes of failures",
    ].join("\n"),
  });
});

test("each attempt has headers of its own, asks for credentials, and is counted", async () => {
  const heard: Metadata[] = [];
  await using worker = await kitchenWorker({
    cook(dish, { metadata }) {
      heard.push(metadata);
      if (heard.length < 3) throw unavailable();
      return dish;
    },
  });
  const inner: ClientInterceptor = (next) => (call) => {
    call.headers.append("attempt", "this one");
    call.request = Object.assign({}, call.request, { count: 1 });
    return next(call);
  };
  const interceptors = [retry({ startTimer: hastyTimers().startTimer }), inner];
  await using kitchen = createClient(kitchenWith({ Cook: HARMLESS }), worker.target, { interceptors });
  let asked = 0;
  const credentials = () => {
    asked += 1;
    return new Metadata([["key", `${asked}`]]);
  };
  const attempts = async () =>
    Number(/^grpc_client_started_total\{.*"Cook"\} (\d+)$/m.exec(await worker.metrics())?.[1]);
  const before = await attempts();
  const headers = new Metadata([["caller", "me"]]);
  await kitchen.cook({}, { credentials, headers });
  assert.equal((await attempts()) - before, 3);
  for (const [at, metadata] of heard.entries()) {
    assert.deepEqual(metadata.getAll("attempt"), ["this one"]);
    assert.deepEqual(metadata.getAll("caller"), ["me"]);
    assert.deepEqual(metadata.getAll("key"), [`${at + 1}`]);
  }
});
