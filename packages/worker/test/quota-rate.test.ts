import assert from "node:assert/strict";
import { test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import type { QuotaRule } from "../src/policy/policy.ts";
import { createMemoryStore } from "../src/quota/memory-store.ts";
import type { Decision } from "../src/quota/store.ts";
import { manualClock } from "../src/testing.ts";
import { ruleOf } from "./support/calls.ts";
import { history } from "./support/quota-histories.ts";

const desc = Greeter.method.sayHello;

/** One subject's bucket of one rule, moved by hand. */
function bucket(limit: number, windowMs?: number) {
  const clock = manualClock();
  const store = createMemoryStore({ clock, maxSubjects: 10 });
  const rule = ruleOf(desc, { limit, ...(windowMs !== undefined && { windowMs }) });
  return { clock, take: () => store.take([{ rule, subject: "someone" }]) };
}

function waitOf(decision: Decision): number | undefined {
  assert.ok(!decision.allowed);
  return decision.refusals[0]?.retryAfterMs;
}

function stateOf(decision: Decision) {
  assert.ok(decision.allowed);
  return decision.states[0];
}

test("limit charges pass at once, and not one more", () => {
  const { take } = bucket(60, 60_000);
  for (let left = 59; left >= 0; left -= 1) assert.equal(stateOf(take())?.remaining, left);
  assert.equal(take().allowed, false);
});

test("the next charge passes exactly one window / limit after the first, and not a microsecond before", () => {
  const { clock, take } = bucket(60, 60_000);
  for (let charge = 0; charge < 60; charge += 1) take();
  assert.equal(waitOf(take()), 1_000);
  clock.advance(999.999);
  assert.equal(waitOf(take()), 0.001);
  clock.advance(0.001);
  assert.equal(take().allowed, true);
  assert.equal(waitOf(take()), 1_000);
});

test("a wait that is no whole number of microseconds is rounded up, and then suffices", () => {
  const { clock, take } = bucket(3, 1_000);
  for (let charge = 0; charge < 3; charge += 1) take();
  assert.equal(waitOf(take()), 333.334);
  clock.advance(333.333);
  assert.equal(take().allowed, false);
  clock.advance(0.001);
  assert.equal(take().allowed, true);
});

test("thirds of a second add up to whole ones, however long a subject stays busy", () => {
  const { clock, take } = bucket(3, 1_000);
  for (let charge = 0; charge < 3; charge += 1) take();
  let passed = 0;
  for (let step = 0; step < 30_000; step += 1) {
    clock.advance(100);
    while (take().allowed) passed += 1;
  }
  assert.equal(passed, 3 * 3_000);
});

test("what is left and the time until all is there again are told with each charge", () => {
  const { clock, take } = bucket(4, 2_000);
  assert.deepEqual(stateOf(take()), { remaining: 3, resetMs: 500 });
  assert.deepEqual(stateOf(take()), { remaining: 2, resetMs: 1_000 });
  clock.advance(250);
  assert.deepEqual(stateOf(take()), { remaining: 1, resetMs: 1_250 });
  clock.advance(60_000);
  assert.deepEqual(stateOf(take()), { remaining: 3, resetMs: 500 });
});

test("without a window nothing is ever given back", () => {
  const { clock, take } = bucket(2);
  assert.deepEqual(stateOf(take()), { remaining: 1, resetMs: undefined });
  assert.deepEqual(stateOf(take()), { remaining: 0, resetMs: undefined });
  clock.advance(1e12);
  assert.equal(waitOf(take()), undefined);
});

test("a limit of 0 refuses everything, for good, with and without a window", () => {
  for (const windowMs of [undefined, 1_000]) {
    const { clock, take } = bucket(0, windowMs);
    assert.equal(waitOf(take()), undefined);
    clock.advance(1e9);
    assert.equal(waitOf(take()), undefined);
  }
});

test("the greatest limit that a policy can declare is counted like any other", () => {
  const { clock, take } = bucket(2 ** 32 - 1, 1);
  assert.equal(stateOf(take())?.remaining, 2 ** 32 - 2);
  clock.advance(0.001);
  assert.equal(stateOf(take())?.remaining, 2 ** 32 - 2);
});

/** The rule in the plainest words: a level that leaks, in whole numbers without a bound. */
class Model {
  readonly #limit: bigint;
  readonly #window: bigint | undefined;
  #level = 0n;
  #at = 0n;

  constructor(limit: number, windowUs: number | undefined) {
    this.#limit = BigInt(limit);
    this.#window = windowUs === undefined ? undefined : BigInt(windowUs);
  }

  /** One charge is as many parts as the window has microseconds; each of them leaks `limit` parts. */
  get #charge(): bigint {
    return this.#window ?? 1n;
  }

  leakUntil(nowUs: number): void {
    const now = BigInt(nowUs);
    const leaked = this.#window === undefined ? 0n : (now - this.#at) * this.#limit;
    this.#level = leaked > this.#level ? 0n : this.#level - leaked;
    this.#at = now;
  }

  get over(): bigint {
    return this.#level + this.#charge - this.#limit * this.#charge;
  }

  charge(): void {
    this.#level += this.#charge;
  }

  get state() {
    const remaining = Number((this.#limit * this.#charge - this.#level) / this.#charge);
    return { remaining, resetMs: this.#waitMs(this.#level) };
  }

  get retryAfterMs(): number | undefined {
    return this.#limit === 0n ? undefined : this.#waitMs(this.over);
  }

  #waitMs(parts: bigint): number | undefined {
    if (this.#window === undefined) return undefined;
    return Number((parts + this.#limit - 1n) / this.#limit) / 1_000;
  }
}

test("decides, tells what is left and tells when to come again as the plain rule does, over random histories", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const { steps } = history(seed);
    let nowUs = 0;
    const store = createMemoryStore({ clock: { now: () => nowUs / 1_000 }, maxSubjects: 1_000 });
    const models = new Map<string, Model>();
    const modelOf = (rule: QuotaRule, subject: string) => {
      const key = `${rule.id} ${subject}`;
      const windowUs = rule.windowMs === undefined ? undefined : Math.round(rule.windowMs * 1_000);
      const model = models.get(key) ?? new Model(rule.limit, windowUs);
      models.set(key, model);
      model.leakUntil(nowUs);
      return model;
    };
    for (const { charges, name, ...step } of steps) {
      nowUs = step.nowUs;
      const asked = charges.map((charge) => ({ charge, model: modelOf(charge.rule, charge.subject) }));
      const over = asked.filter(({ model }) => model.over > 0n);
      if (over.length === 0) for (const { model } of asked) model.charge();
      const expected =
        over.length === 0
          ? { allowed: true, states: asked.map(({ model }) => model.state) }
          : {
              allowed: false,
              refusals: over.map(({ charge, model }) => ({ charge, retryAfterMs: model.retryAfterMs })),
            };
      assert.deepEqual(store.take(charges), expected, name);
    }
  }
});
