import type { QuotaRule } from "../policy/policy.ts";
import { createMemoryStore, type MemoryStoreOptions } from "./memory-store.ts";
import type { Charge, Decision } from "./store.ts";

/** Decides by a replica's share of each quota: all that it has while the shared store is away. */
export interface LocalShare {
  take(charges: readonly Charge[]): Decision;
  /** Changes the share. Quotas whose limit changes with it start anew. */
  use(share: number): void;
  retain(rules: readonly QuotaRule[]): void;
}

export function createLocalShare(options: MemoryStoreOptions): LocalShare {
  const memory = createMemoryStore(options);
  let share = 1;
  let rules: readonly QuotaRule[] = [];
  let shared = new Map<QuotaRule, QuotaRule>();

  function divide(): void {
    shared = new Map(rules.map((rule) => [rule, { ...rule, limit: shareOf(rule.limit, share) }]));
    memory.retain([...shared.values()]);
  }

  return {
    take(charges) {
      const divided = charges.map(({ rule, subject }) => ({ rule: shared.get(rule) ?? rule, subject }));
      const decision = memory.take(divided);
      if (decision.allowed) return decision;
      const refusals = decision.refusals.map(({ charge, retryAfterMs }) => ({
        charge: charges[divided.indexOf(charge)] ?? charge,
        retryAfterMs,
      }));
      return { allowed: false, refusals };
    },
    use(changed) {
      if (changed === share) return;
      share = changed;
      divide();
    },
    retain(changed) {
      rules = changed;
      divide();
    },
  };
}

/** Rounded down, but never to nothing: nobody is locked out for want of a store. */
function shareOf(limit: number, share: number): number {
  // A third of 60 comes to a hair less than 20 in some fractions.
  return limit === 0 ? 0 : Math.max(1, Math.floor(limit * share + 1e-9));
}
