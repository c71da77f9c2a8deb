import type { QuotaRule } from "../policy/policy.ts";
import type { Charge, Refusal, Refused } from "./store.ts";
import { subjectKey } from "./subject-key.ts";

/** A refusal is believed no longer, so that a count which an operator takes back is soon seen. */
const LONGEST_KNOWN_MS = 1_000;
/** How many are known at most; the oldest goes first. */
const MOST_KNOWN = 10_000;

interface KnownRefusal {
  readonly rule: QuotaRule;
  readonly untilMs: number;
  readonly retryAtMs: number | undefined;
}

/**
 * What a store elsewhere refused, for as long as it would refuse it again: a bucket that takes nothing for
 * a second takes nothing within that second, whoever asks. So callers that do not stop when they are
 * refused cost the store, and themselves, no round trip. Of calls with one quota only: of several, the
 * others may have changed.
 */
export class KnownRefusals {
  readonly #known = new Map<string, KnownRefusal>();

  /** @param askedAtMs the wait began no earlier, however long the answer took */
  remember({ charge, retryAfterMs }: Refusal, askedAtMs: number, nowMs: number): void {
    const key = keyOf(charge);
    this.#known.delete(key);
    if (this.#known.size >= MOST_KNOWN) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(key, {
      rule: charge.rule,
      untilMs: askedAtMs + Math.min(retryAfterMs ?? LONGEST_KNOWN_MS, LONGEST_KNOWN_MS),
      retryAtMs: retryAfterMs === undefined ? undefined : nowMs + retryAfterMs,
    });
  }

  find(charges: readonly Charge[], nowMs: number): Refused | undefined {
    const [charge] = charges;
    if (!charge || charges.length > 1 || this.#known.size === 0) return undefined;
    const key = keyOf(charge);
    const known = this.#known.get(key);
    if (known?.rule !== charge.rule) return undefined;
    if (nowMs >= known.untilMs) {
      this.#known.delete(key);
      return undefined;
    }
    const retryAfterMs = known.retryAtMs === undefined ? undefined : known.retryAtMs - nowMs;
    return { allowed: false, refusals: [{ charge, retryAfterMs }] };
  }

  clear(): void {
    this.#known.clear();
  }
}

/** Ids are words and hyphens. */
function keyOf({ rule, subject }: Charge): string {
  return `${rule.id} ${subjectKey(subject)}`;
}
