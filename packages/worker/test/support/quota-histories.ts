/** Random histories of quotas, the same in every run: what one store decides, another has to decide too. */
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import type { QuotaRule } from "../../src/policy/policy.ts";
import type { Charge } from "../../src/quota/store.ts";
import { ruleOf } from "./calls.ts";

export interface HistoryStep {
  /** When it happens: microseconds that only grow. */
  readonly nowUs: number;
  /** What is charged together. */
  readonly charges: readonly Charge[];
  /** Says which step it is. */
  readonly name: string;
}

export interface History {
  readonly rules: readonly QuotaRule[];
  readonly steps: Iterable<HistoryStep>;
}

/** @param startUs the time of the first step */
export function history(seed: number, { steps = 400, startUs = 0 } = {}): History {
  const random = seeded(seed);
  const rules = randomRules(random);
  return { rules, steps: randomSteps(seed, random, rules, steps, startUs) };
}

function* randomSteps(
  seed: number,
  random: (below: number) => number,
  rules: readonly QuotaRule[],
  steps: number,
  startUs: number,
): Generator<HistoryStep> {
  let nowUs = startUs;
  for (let step = 0; step < steps; step += 1) {
    const longest = [1, 100, 10_000, 1_000_000, 100_000_000][random(5)] ?? 1;
    if (random(2) === 0) nowUs += random(longest);
    const charges = rules
      .filter(() => random(4) > 0)
      .map((rule) => ({ rule, subject: `subject ${random(3)}` }));
    yield { nowUs, charges, name: `seed ${seed}, step ${step}, at ${nowUs} us` };
  }
}

function randomRules(random: (below: number) => number): QuotaRule[] {
  const windows = [undefined, 1, 7, 333.333, 1_000, 60_000, 86_400_000];
  return Array.from({ length: 1 + random(3) }, (_, index) => {
    const windowMs = windows[random(windows.length)];
    const limit = random(10) === 0 ? 1_000_000 : random(7);
    return ruleOf(Greeter.method.sayHello, {
      id: `quota-${index}`,
      limit,
      ...(windowMs !== undefined && { windowMs }),
    });
  });
}

/** Numbers that are the same in every run (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
