import type { Clock } from "../clock.ts";
import type { QuotaRule } from "../policy/policy.ts";
import { inMs, rateOf, remaining, settle, untilFullUs, untilNextUs } from "./bucket.ts";
import { type Entry, Ledger } from "./ledger.ts";
import { ruleKey } from "./rule.ts";
import type { BucketState, Charge, CountedSubject, Decision, QuotaStore, Refusal } from "./store.ts";
import { subjectKey } from "./subject-key.ts";

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** How many subjects are remembered at most, over all quotas together. */
  readonly maxSubjects: number;
}

/** A store in the worker's own memory: exact for one worker, forgotten when it ends. */
export interface MemoryStore extends QuotaStore {
  take(charges: readonly Charge[]): Decision;
  retain(rules: readonly QuotaRule[]): void;
  fullest(): CountedSubject[];
  /** How many subjects are remembered now. */
  readonly subjects: number;
}

/** Of each quota, those that were counted last, so that telling who is fullest holds nobody up. */
const MOST_LOOKED_AT = 1_000;
const MOST_TOLD = 20;

/**
 * Counts by the rule of `bucket.ts`. When one subject more would pass `maxSubjects`, one is forgotten:
 * of the subjects that have been idle for longest, each in its quota, one whose bucket is full again,
 * for that costs nothing; else the one that has been idle for longest of all. A subject that is
 * forgotten and comes back finds a full bucket, so what it gains is at most `limit`, once. Who is
 * refused is never added, so a stranger cannot push others out with calls that do not pass.
 */
export function createMemoryStore({ clock, maxSubjects }: MemoryStoreOptions): MemoryStore {
  const ledgers = new Map<string, Ledger>();
  /** Spares working out the key of a rule for each call. */
  let ledgerOfRule = new WeakMap<QuotaRule, Ledger>();
  let subjects = 0;
  let asked = 0;

  function ledgerOf(rule: QuotaRule): Ledger {
    const known = ledgerOfRule.get(rule);
    if (known) return known;
    const key = ruleKey(rule);
    const ledger = ledgers.get(key) ?? new Ledger(rule.id, rateOf(rule.limit, rule.windowMs));
    ledgers.set(key, ledger);
    ledgerOfRule.set(rule, ledger);
    return ledger;
  }

  function keep(entry: Entry, nowUs: number): void {
    if (subjects >= maxSubjects) forgetOne(nowUs);
    entry.ledger.keep(entry);
    subjects += 1;
  }

  function forgetOne(nowUs: number): void {
    let idlest: Entry | undefined;
    for (const { oldest, rate } of ledgers.values()) {
      if (!oldest) continue;
      if (settle(oldest, rate, nowUs)) {
        idlest = oldest;
        break;
      }
      if (!idlest || oldest.touched < idlest.touched) idlest = oldest;
    }
    if (!idlest) return;
    idlest.ledger.drop(idlest);
    subjects -= 1;
  }

  return {
    get subjects() {
      return subjects;
    },

    take(charges) {
      const nowUs = Math.round(clock.now() * 1_000);
      const entries: Entry[] = [];
      let refusals: Refusal[] | undefined;
      for (const charge of charges) {
        asked += 1;
        const ledger = ledgerOf(charge.rule);
        const entry = ledger.find(subjectKey(charge.subject), nowUs, asked);
        settle(entry, ledger.rate, nowUs);
        if (remaining(entry, ledger.rate, nowUs) < 1) {
          refusals ??= [];
          refusals.push({ charge, retryAfterMs: inMs(untilNextUs(entry, ledger.rate, nowUs)) });
        }
        entries.push(entry);
      }
      if (refusals) return { allowed: false, refusals };

      const states: BucketState[] = [];
      for (const entry of entries) {
        const { rate } = entry.ledger;
        entry.spent += 1;
        if (!entry.kept) keep(entry, nowUs);
        states.push({
          remaining: remaining(entry, rate, nowUs),
          resetMs: inMs(untilFullUs(entry, rate, nowUs)),
        });
      }
      return { allowed: true, states };
    },

    retain(rules) {
      const keys = new Set(rules.map(ruleKey));
      for (const [key, ledger] of ledgers) {
        if (keys.has(key)) continue;
        ledgers.delete(key);
        subjects -= ledger.size;
      }
      ledgerOfRule = new WeakMap();
    },

    fullest() {
      const nowUs = Math.round(clock.now() * 1_000);
      const counted: CountedSubject[] = [];
      for (const { quota, rate, newest } of ledgers.values()) {
        let entry = newest;
        for (let looked = 0; entry && looked < MOST_LOOKED_AT; looked += 1, entry = entry.older) {
          if (settle(entry, rate, nowUs)) continue;
          const { limit } = rate;
          counted.push({ quota, subject: entry.key, limit, remaining: remaining(entry, rate, nowUs) });
        }
      }
      const share = ({ remaining, limit }: CountedSubject) => remaining / limit;
      return counted.sort((a, b) => share(a) - share(b)).slice(0, MOST_TOLD);
    },

    async close() {
      ledgers.clear();
      ledgerOfRule = new WeakMap();
      subjects = 0;
    },
  };
}
