import type { QuotaRule } from "../policy/policy.ts";
import { type Rate, rateOf } from "./bucket.ts";
import { ruleKey } from "./rule.ts";
import { subjectDigest, subjectKey } from "./subject-key.ts";

/** What the store is told of one rule. */
export interface RedisRule {
  readonly rate: Rate;
  /** `limit`, `windowUs`, `cost` and `gain`, as the script wants them. */
  readonly args: readonly string[];
  /** The key of a subject's bucket. */
  keyOf(subject: string): string;
}

/**
 * Where a worker's buckets lie. All replicas of a worker, by its name, share them; others do not:
 *
 *     gantry:quota:greeter:greetings-per-name:60:60000000:request.name:call:{s:七米}
 *
 * Charges of one call are taken together, and in a cluster a script sees the keys of one hash slot only:
 * those whose text in braces is the same. Quotas that are only ever charged together with quotas of the
 * same subject have that subject there, so that subjects spread over the cluster. The others, of methods
 * that count by several subjects, share the slot of their worker: `gantry:quota:{greeter}:…`.
 */
export class RedisKeys {
  /** The replicas of the worker. */
  readonly replicas: string;
  readonly #worker: string;
  #spread: ReadonlySet<string> = new Set();
  #rules = new WeakMap<QuotaRule, RedisRule>();

  constructor(worker: string) {
    this.#worker = encodeURIComponent(worker);
    this.replicas = `gantry:quota:{${this.#worker}}:replicas`;
  }

  retain(together: readonly (readonly QuotaRule[])[]): void {
    this.#spread = spreadable(together);
    this.#rules = new WeakMap();
  }

  of(rule: QuotaRule): RedisRule {
    const known = this.#rules.get(rule);
    if (known) return known;
    const made = this.#make(rule);
    this.#rules.set(rule, made);
    return made;
  }

  #make(rule: QuotaRule): RedisRule {
    const { id, limit, windowMs, subject, per } = rule;
    const rate = rateOf(limit, windowMs);
    const window = rate.windowUs ?? 0;
    const parts = [id, limit, window, subject.source, per].join(":");
    // What metadata carries may be a secret, and the store shows its keys to whoever may ask it.
    const kept = subject.kind === "metadata" ? subjectDigest : subjectKey;
    const keyOf = this.#spread.has(ruleKey(rule))
      ? (text: string) => `gantry:quota:${this.#worker}:${parts}:{s:${kept(text)}}`
      : (text: string) => `gantry:quota:{${this.#worker}}:${parts}:${kept(text)}`;
    return { rate, args: [limit, window, rate.cost, rate.gain].map(String), keyOf };
  }
}

/** The rules that meet no other subject than their own, neither beside them nor beside those they meet. */
function spreadable(together: readonly (readonly QuotaRule[])[]): Set<string> {
  const spread = new Set(together.flat().map(ruleKey));
  const bound = (rules: readonly QuotaRule[]) =>
    rules.some((rule) => rule.subject.source !== rules[0]?.subject.source || !spread.has(ruleKey(rule)));
  for (let before = Number.POSITIVE_INFINITY; spread.size < before; ) {
    before = spread.size;
    for (const rules of together) {
      if (bound(rules)) for (const rule of rules) spread.delete(ruleKey(rule));
    }
  }
  return spread;
}
