import { Code, errorInfo, RpcError, retryInfo } from "@gantry/rpc";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { inTime } from "./in-time.ts";
import { KnownRefusals } from "./known-refusals.ts";
import { createLocalShare } from "./local-share.ts";
import type { RemoteStore } from "./remote-store.ts";
import type { Charge, Decision, QuotaStore } from "./store.ts";
import { type FallbackReason, QuotaStoreStats } from "./store-stats.ts";
import { StoreWatch } from "./store-watch.ts";

/** What becomes of a call that the store does not decide in time: see `QUOTA_STORE_FALLBACK`. */
export type StoreFallback = "local" | "refuse" | "allow";

export interface SharedStoreOptions {
  /** Connects to the store; resolves whether or not it is there. The events may come before. */
  readonly connect: (events: StoreEvents) => Promise<RemoteStore>;
  readonly timeoutMs: number;
  readonly fallback: StoreFallback;
  /** A replica's share of each quota; undefined: an equal one among the replicas that the store saw last. */
  readonly share: number | undefined;
  /** How many subjects are remembered at most while the store is away. */
  readonly maxSubjects: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface StoreEvents {
  /** There is a connection. */
  onReady(): void;
  /** There is none, for this reason. */
  onLost(reason: string): void;
}

/** A store that replicas share, and what stands in for it while it is away. */
export interface SharedStore extends QuotaStore {
  readonly stats: QuotaStoreStats;
}

/**
 * Asks the store elsewhere once per decision, and waits no longer than `timeoutMs`. Where no answer came
 * by then, and from then on until the store is back, calls are decided here.
 *
 * A charge whose answer is late may have been taken: it stays, in the store's count as in the local one.
 * So what a late answer costs, it costs the subject, one charge at most, and never the quota. Nothing is
 * sent twice.
 */
export async function createSharedStore(options: SharedStoreOptions): Promise<SharedStore> {
  const { connect, timeoutMs, fallback, share, maxSubjects, clock, log } = options;
  const stats = new QuotaStoreStats();
  const refusals = new KnownRefusals();
  const local = createLocalShare({ clock, maxSubjects });
  let shareNow = share ?? 1;
  local.use(shareNow);

  const watch = new StoreWatch({
    stats,
    timeoutMs,
    log,
    onReplicas(replicas) {
      shareNow = share ?? 1 / Math.max(1, replicas);
      local.use(shareNow);
    },
    meanwhile: () => (fallback === "local" ? { fallback, share: shareNow } : { fallback }),
  });
  const store = await connect({
    onReady: () => watch.reconnected(),
    onLost: (reason) => void watch.failed(new Error(reason)),
  });
  await watch.start(store);

  function decideHere(charges: readonly Charge[], reason: FallbackReason): Decision {
    watch.decidedHere(reason);
    if (fallback === "local") return local.take(charges);
    if (fallback === "allow") return { allowed: true, states: [] };
    throw unavailable();
  }

  async function ask(charges: readonly Charge[]): Promise<Decision> {
    const askedAtMs = clock.now();
    const startedAt = performance.now();
    const answer = store.take(charges).then((decision) => {
      stats.answered((performance.now() - startedAt) / 1_000);
      return decision;
    });
    let decision: Decision;
    try {
      decision = await inTime(answer, timeoutMs);
    } catch (error) {
      return decideHere(charges, watch.failed(error, charges));
    }
    const [refusal] = decision.allowed || charges.length > 1 ? [] : decision.refusals;
    if (refusal) refusals.remember(refusal, askedAtMs, clock.now());
    return decision;
  }

  return {
    stats,
    take(charges) {
      const refused = refusals.find(charges, clock.now());
      if (refused) return refused;
      return watch.away === undefined ? ask(charges) : decideHere(charges, watch.away);
    },
    retain(rules, together) {
      refusals.clear();
      local.retain(rules);
      store.retain(rules, together);
    },
    async close() {
      watch.close();
      await store.close();
    },
  };
}

const RETRY_AFTER_MS = 1_000;

function unavailable(): RpcError {
  return new RpcError(Code.Unavailable, "Quotas cannot be counted at present: their store does not answer.", [
    retryInfo(RETRY_AFTER_MS),
    errorInfo("QUOTA_STORE_UNAVAILABLE", "gantry"),
  ]);
}
