import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, durationOfMs, type Metadata, RpcError } from "@gantry/rpc";
import {
  type ClientInterceptor,
  createClient,
  hedging,
  type RetryBudget,
  retry,
  retryBudget,
} from "../src/index.ts";
import { all } from "./support/all.ts";
import { failure, unavailable } from "./support/failing-kitchen.ts";
import { hastyTimers, kitchenWith, type Words } from "./support/kitchen-with.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

const delay = durationOfMs(30);

/** No attempt is made because one before it is slow. */
const patient = { fires: (delayMs: number) => delayMs !== 30 };

function hedged(maxAttempts: number, codes: Code[] = []): Words {
  return { level: "NO_SIDE_EFFECTS", policy: { retry: { codes }, hedging: { maxAttempts, delay } } };
}

/** What the first, second, … attempt at a call does: answers, fails, or waits for its end. */
type Step = "answer" | "wait" | RpcError;

interface Options {
  readonly interceptors?: (own: ClientInterceptor) => ClientInterceptor[];
  readonly budget?: RetryBudget;
  /** Whether timers run before their time. */
  readonly hasty?: boolean;
  readonly fires?: (delayMs: number, at: number) => boolean;
}

/** A worker whose Cook and Serve do as they are told, and a client that hedges. */
async function stepping(
  words: Words,
  steps: readonly Step[],
  { interceptors = (own) => [own], budget = retryBudget(), hasty = true, fires }: Options = {},
) {
  const timers = hastyTimers(fires);
  const attempts: Metadata[] = [];
  const cancelled: number[] = [];
  const someCancelled = Promise.withResolvers<void>();
  async function step(metadata: Metadata, signal: AbortSignal) {
    const step = steps[attempts.length];
    const count = attempts.push(metadata);
    if (step instanceof RpcError) throw step;
    if (step === "answer") return { count };
    signal.throwIfAborted();
    return new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        cancelled.push(count);
        if (cancelled.length === steps.filter((step) => step === "wait").length) someCancelled.resolve();
        reject(signal.reason);
      });
    });
  }
  const worker = await kitchenWorker({
    cook: (_, { metadata, signal }) => step(metadata, signal),
    async *serve(_, { metadata, signal }) {
      const answer = await step(metadata, signal);
      yield answer;
      yield answer;
    },
  });
  const own = hedging({ budget, ...(hasty && { startTimer: timers.startTimer }) });
  const kitchen = createClient(kitchenWith({ Cook: words, Serve: words }), worker.target, {
    interceptors: interceptors(own),
  });
  return {
    /** The metadata of each attempt that has come. */
    attempts,
    /** The attempts whose handlers have seen that they are cancelled. */
    cancelled,
    /** When that is so of all that wait. */
    allCancelled: someCancelled.promise,
    delays: timers.delays,
    running: timers.running,
    metrics: worker.metrics,
    kitchen,
    async [Symbol.asyncDispose]() {
      await kitchen.close();
      await worker.stop();
    },
  };
}

test("an attempt that is not answered in time gets another beside it, and who loses is cancelled on its server", async () => {
  await using server = await stepping(hedged(2), ["wait", "answer"], { hasty: false });
  const before = performance.now();
  assert.equal((await server.kitchen.cook({})).count, 2);
  assert.ok(performance.now() - before >= 29);
  await server.allCancelled;
  assert.deepEqual(server.cancelled, [1]);
});

test("of streams the one whose answer begins first is read, and the others are cancelled", async () => {
  await using server = await stepping(hedged(3), ["wait", "wait", "answer"]);
  assert.deepEqual(
    (await all(server.kitchen.serve({}))).map(({ count }) => count),
    [3, 3],
  );
  await server.allCancelled;
  assert.deepEqual(server.cancelled, [1, 2]);
});

test("an answer in time leaves it at one attempt", async () => {
  await using server = await stepping(hedged(5), ["answer"], patient);
  assert.equal((await server.kitchen.cook({})).count, 1);
  assert.deepEqual([server.attempts.length, server.delays, server.running.size], [1, [30], 0]);
});

test("a method without a policy of hedging has one attempt", async () => {
  await using server = await stepping({ level: "NO_SIDE_EFFECTS" }, ["wait"]);
  await assert.rejects(server.kitchen.cook({}, { timeoutMs: 150 }), { code: Code.DeadlineExceeded });
  assert.deepEqual([server.attempts.length, server.delays], [1, []]);
});

test("there are no more attempts than the policy has, each after its delay", async () => {
  await using server = await stepping(hedged(3), ["wait", "wait", "wait"]);
  await assert.rejects(server.kitchen.cook({}, { timeoutMs: 300 }), { code: Code.DeadlineExceeded });
  assert.equal(server.attempts.length, 3);
  assert.deepEqual(server.delays, [30, 30]);
  await server.allCancelled;
});

test("each attempt has headers of its own, says how many came before it, and is counted", async () => {
  const inner: ClientInterceptor = (next) => (call) => {
    call.headers.append("attempt", "this one");
    return next(call);
  };
  const interceptors = (own: ClientInterceptor) => [own, inner];
  await using server = await stepping(hedged(3), ["wait", "wait", "answer"], { interceptors });
  const counted = async (name: string) =>
    Number(new RegExp(`^${name}\\{.*"Cook".*\\} (\\d+)$`, "m").exec(await server.metrics())?.[1]);
  const before = await counted("grpc_client_started_total");
  await server.kitchen.cook({});
  assert.equal((await counted("grpc_client_started_total")) - before, 3);
  const said = server.attempts.map((metadata) => metadata.get("grpc-previous-rpc-attempts"));
  assert.deepEqual(said, [undefined, "1", "2"]);
  for (const metadata of server.attempts) assert.deepEqual(metadata.getAll("attempt"), ["this one"]);
});

test("a failure that no attempt would mend ends the call at once, and the other attempts", async () => {
  await using server = await stepping(hedged(5), ["wait", failure(Code.NotFound, "no such dish")], {
    fires: (_, at) => at === 1,
  });
  await assert.rejects(server.kitchen.cook({}), { code: Code.NotFound });
  await server.allCancelled;
  assert.equal(server.attempts.length, 2);
});

test("after a failure that one may mend the next attempt is made at once", async () => {
  await using server = await stepping(hedged(3), [unavailable(), unavailable(), "answer"], patient);
  assert.equal((await server.kitchen.cook({})).count, 3);
  assert.deepEqual(server.delays, [30, 0, 30, 0]);
});

test("where all attempts fail, the call fails with the last error", async () => {
  const errors = ["first", "second"].map((message) => unavailable(message));
  await using server = await stepping(hedged(2), errors);
  await assert.rejects(server.kitchen.cook({}), { code: Code.Unavailable, message: "second" });
});

test("the codes that may be mended are those of the policy of retries", async () => {
  const words = hedged(2, [Code.Aborted]);
  await using server = await stepping(words, [failure(Code.Aborted, "again"), "answer"]);
  assert.equal((await server.kitchen.cook({})).count, 2);
  await using other = await stepping(words, [unavailable(), "answer"]);
  await assert.rejects(other.kitchen.cook({}), { code: Code.Unavailable });
});

for (const [what, wish] of [
  ["a pushback", { pushback: "70" }],
  ["RetryInfo", { retryAfterMs: 70 }],
] as const) {
  test(`${what} is waited for before the next attempt`, async () => {
    await using server = await stepping(hedged(2), [unavailable("busy", wish), "answer"], patient);
    assert.equal((await server.kitchen.cook({})).count, 2);
    assert.deepEqual(server.delays, [30, 70]);
  });
}

test("a pushback that does not fit before the deadline ends the call at once", async () => {
  await using server = await stepping(hedged(2), [unavailable("later", { pushback: "5000" })], patient);
  await assert.rejects(server.kitchen.cook({}, { timeoutMs: 4_000 }), { message: "later" });
});

test("a pushback that forbids more attempts leaves those that are in flight", async () => {
  const forbidding = unavailable("no", { pushback: "-1" });
  const release = Promise.withResolvers<void>();
  let attempts = 0;
  await using worker = await kitchenWorker({
    async cook() {
      attempts += 1;
      if (attempts === 2) throw forbidding;
      await release.promise;
      return { name: "first" };
    },
  });
  const { startTimer } = hastyTimers((delayMs, at) => delayMs === 0 || at === 1);
  let failures = 0;
  const inner: ClientInterceptor = (next) => (call) =>
    next(call).catch((error) => {
      failures += 1;
      // The call has heard of the failure when the loop turns again.
      setImmediate(release.resolve);
      throw error;
    });
  await using kitchen = createClient(kitchenWith({ Cook: hedged(5) }), worker.target, {
    interceptors: [hedging({ startTimer }), inner],
  });
  assert.equal((await kitchen.cook({})).name, "first");
  assert.deepEqual([attempts, failures], [2, 1]);
});

test("the budget bounds the attempts after the first, and failures use it up", async () => {
  const budget = retryBudget({ maxTokens: 2 });
  await using server = await stepping(hedged(5), [unavailable("first"), "answer"], { budget, ...patient });
  await assert.rejects(server.kitchen.cook({}), { message: "first" });
  assert.equal(server.attempts.length, 1);
  assert.equal((await server.kitchen.cook({})).count, 2);
  assert.deepEqual(server.delays, [30]);
});

test("a call that is cancelled cancels all of its attempts", async () => {
  await using server = await stepping(hedged(3), ["wait", "wait", "wait"]);
  const controller = new AbortController();
  const call = server.kitchen.cook({}, { signal: controller.signal });
  const outcome = assert.rejects(call, { code: Code.Cancelled });
  while (server.attempts.length < 3) await new Promise(setImmediate);
  controller.abort();
  await outcome;
  await server.allCancelled;
});

test("a call is either hedged or retried, whichever interceptor is the outer one", async () => {
  const copying: ClientInterceptor = (next) => (call) => next({ ...call });
  const retrying = retry({ startTimer: hastyTimers().startTimer });
  for (const interceptors of [
    (own: ClientInterceptor) => [own, copying, retrying],
    (own: ClientInterceptor) => [retrying, own],
  ]) {
    const errors = Array.from({ length: 9 }, () => unavailable());
    await using server = await stepping(hedged(2), errors, { interceptors });
    await assert.rejects(server.kitchen.cook({}), { code: Code.Unavailable });
    assert.equal(server.attempts.length, 2);
  }
});

test("hedging is refused when the client is made, where a call must not be made twice", () => {
  const policy = { hedging: { delay } };
  const made = (words: Readonly<Record<string, Words>>) => () =>
    createClient(kitchenWith(words), "localhost:1", { interceptors: [hedging()] });
  assert.throws(made({ Cook: { policy } }), {
    name: "TypeError",
    message:
      "kitchen.v1.Kitchen/Cook: hedging makes calls more than once: expected idempotency_level NO_SIDE_EFFECTS or IDEMPOTENT beside it",
  });
  assert.throws(made({ Collect: { level: "IDEMPOTENT", policy } }), {
    message:
      "kitchen.v1.Kitchen/Collect: hedging is for methods that take one request message, and this one streams them",
  });
  assert.equal(typeof createClient(Kitchen, "localhost:1", { interceptors: [hedging()] }).cook, "function");
});
