import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ErrorInfoSchema, RetryInfoSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter, HelloRequestSchema } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code, RpcError } from "@gantry/rpc";
import { quota } from "../src/interceptors/quota.ts";
import { QuotaStats } from "../src/quota/quota-stats.ts";
import { callOf, methodOf, type RuleParts, ruleOf } from "./support/calls.ts";
import type { LogLine } from "./support/log-lines.ts";
import { refusalOf, sharedStore } from "./support/shared-store.ts";

const desc = Greeter.method.sayHello;
const rule = (parts: RuleParts) => ruleOf(desc, parts);

test("what the store decides in time is what holds", async () => {
  await using shared = await sharedStore();
  const twice = rule({ limit: 2 });
  assert.deepEqual(await shared.take(twice), {
    allowed: true,
    states: [{ remaining: 1, resetMs: undefined }],
  });
  assert.equal((await shared.take(twice)).allowed, true);
  assert.equal((await shared.take(twice)).allowed, false);
  assert.equal(shared.asked.length, 3);
  assert.deepEqual(shared.store.stats.fallbacks, { timeout: 0, error: 0 });
  assert.equal(shared.store.stats.up, true);
});

test("a late store is waited for once; then calls are decided here at once, until it is back", async () => {
  await using shared = await sharedStore();
  shared.is("late");
  assert.equal((await shared.take()).allowed, true);
  assert.equal(shared.store.stats.up, false);
  const decided = shared.take();
  assert.ok(!(decided instanceof Promise));
  assert.equal(shared.asked.length, 1);
  assert.deepEqual(shared.store.stats.fallbacks, { timeout: 2, error: 0 });

  shared.is("answers");
  const back = await shared.log.next("info");
  assert.match(back.msg, /is back/);
  assert.equal(shared.store.stats.up, true);
  await shared.take();
  assert.equal(shared.asked.length, 2);
});

test("a store that fails is not waited for at all", async () => {
  await using shared = await sharedStore({ timeoutMs: 60_000 });
  shared.is("fails");
  assert.equal((await shared.take()).allowed, true);
  assert.deepEqual(shared.store.stats.fallbacks, { timeout: 0, error: 1 });
});

test("an outage is logged once, with its reason, and its end once, with how many decisions it took", async () => {
  await using shared = await sharedStore();
  shared.is("fails");
  for (let call = 0; call < 5; call += 1) await shared.take();
  const away = await shared.log.next("warn");
  assert.match(away.msg, /is away/);
  shared.is("answers");
  const back = await shared.log.next("info");
  const { reason, fallback, share } = away as LogLine & Record<string, unknown>;
  assert.deepEqual({ reason, fallback, share }, { reason: "ECONNREFUSED", fallback: "local", share: 1 });
  assert.equal((back as LogLine & Record<string, unknown>).decided_meanwhile, 5);
  assert.equal(shared.log.lines.length, 2);
});

test("a store that comes back by itself is found, without a call and without a word from it", async () => {
  await using shared = await sharedStore();
  shared.is("late");
  await shared.take();
  shared.answerLate();
  const found = shared.log.next("info");
  for (let mended = false; !mended; ) {
    shared.answerLate();
    mended = await Promise.race([
      found.then(() => true),
      new Promise<false>((resolve) => setImmediate(resolve, false)),
    ]);
  }
  assert.equal(shared.store.stats.up, true);
});

test("a lost connection is an outage before any call comes", async () => {
  await using shared = await sharedStore();
  shared.is("fails");
  shared.lose("read ECONNRESET");
  assert.equal(shared.store.stats.up, false);
  assert.ok(!(shared.take() instanceof Promise));
  assert.equal(shared.asked.length, 0);
});

test("a store that is away at the start keeps nobody from starting", async () => {
  await using shared = await sharedStore({ away: true });
  assert.equal(shared.store.stats.up, false);
  assert.ok(!(shared.take() instanceof Promise));
  assert.equal(shared.log.lines.length, 1);
  shared.is("answers");
  await shared.log.next("info");
  assert.equal(shared.store.stats.up, true);
});

test("what is late still counts in the store: the subject pays for it, the quota never", async () => {
  await using shared = await sharedStore();
  const thrice = rule({ limit: 3 });
  shared.is("late");
  assert.equal((await shared.take(thrice)).allowed, true);
  shared.is("answers");
  shared.answerLate();
  await shared.log.next("info");
  assert.equal((await shared.take(thrice)).allowed, true);
  assert.deepEqual(await shared.take(thrice), {
    allowed: true,
    states: [{ remaining: 0, resetMs: undefined }],
  });
});

test("late answers are measured as long as they took", async () => {
  await using shared = await sharedStore();
  await shared.take();
  shared.is("late");
  await shared.take();
  assert.equal(
    shared.store.stats.buckets.reduce((sum, count) => sum + count),
    1,
  );
  shared.answerLate();
  await new Promise(setImmediate);
  assert.equal(
    shared.store.stats.buckets.reduce((sum, count) => sum + count),
    2,
  );
  assert.ok(shared.store.stats.secondsSum > 0.015);
});

test("here each replica gives an equal share, of as many as the store saw last", async () => {
  await using shared = await sharedStore({ replicas: 3 });
  const six = rule({ limit: 6, windowMs: 6_000 });
  shared.store.retain([six], [[six]]);
  shared.is("fails");
  await shared.take(six);
  assert.equal((await shared.take(six)).allowed, true);
  const refusal = refusalOf(await shared.take(six));
  assert.equal(refusal?.charge.rule, six);
  assert.equal(refusal?.retryAfterMs, 3_000);
});

test("a share that is set holds, is rounded down, and leaves everybody at least one charge", async () => {
  await using shared = await sharedStore({ share: 1 / 3, replicas: 50 });
  const rules = [0, 1, 2, 5, 6, 98].map((limit) => rule({ id: `limit-${limit}`, limit }));
  shared.store.retain(rules, [rules]);
  shared.is("fails");
  await shared.take();
  const passed: number[] = [];
  for (const each of rules) {
    let count = 0;
    while ((await shared.take(each)).allowed) count += 1;
    passed.push(count);
  }
  assert.deepEqual(passed, [0, 1, 1, 1, 2, 32]);
});

test("set to refuse, calls are answered UNAVAILABLE while the store is away, with when to come again", async () => {
  await using shared = await sharedStore({ fallback: "refuse" });
  shared.is("fails");
  const unavailable = (error: unknown) => {
    assert.ok(error instanceof RpcError);
    assert.equal(error.code, Code.Unavailable);
    assert.equal(error.details(ErrorInfoSchema)[0]?.reason, "QUOTA_STORE_UNAVAILABLE");
    assert.equal(error.details(RetryInfoSchema)[0]?.retryDelay?.seconds, 1n);
    return true;
  };
  await assert.rejects(async () => shared.take(), unavailable);
  await assert.rejects(async () => shared.take(), unavailable);
  assert.deepEqual(shared.store.stats.fallbacks, { timeout: 0, error: 2 });
});

test("set to allow, calls pass while the store is away, and nothing is said of what is left", async () => {
  await using shared = await sharedStore({ fallback: "allow" });
  shared.is("fails");
  const closed = rule({ limit: 0 });
  assert.deepEqual(await shared.take(closed), { allowed: true, states: [] });
  const method = methodOf(desc, [closed]);
  const call = callOf(method, { request: create(HelloRequestSchema, { name: "七米" }) });
  await quota(shared.store, new QuotaStats())(async ({ request }) => request ?? assert.fail(), method)(call);
  assert.equal(call.trailersIfAny?.get("ratelimit-remaining"), undefined);
});

test("a call that ended while it waited for the store does not reach its handler", async () => {
  await using shared = await sharedStore();
  const method = methodOf(desc, [rule({})]);
  const call = callOf(method, { request: create(HelloRequestSchema, { name: "七米" }) });
  const running = quota(shared.store, new QuotaStats())(async () => assert.fail("the handler ran"), method)(
    call,
  );
  const cancelled = new RpcError(Code.Cancelled, "The client went away.");
  call.abort(cancelled);
  await assert.rejects(async () => running, cancelled);
});
