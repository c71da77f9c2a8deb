import type { Logger } from "../log.ts";
import { inTime, LateError } from "./in-time.ts";
import type { RemoteStore } from "./remote-store.ts";
import type { Charge } from "./store.ts";
import type { FallbackReason, QuotaStoreStats } from "./store-stats.ts";

export interface StoreWatchOptions {
  readonly stats: QuotaStoreStats;
  readonly timeoutMs: number;
  /** Told how many replicas there are, each time that the store answered. */
  readonly onReplicas: (replicas: number) => void;
  /** Logs with the store's address. */
  readonly log: Logger;
  /** What the log says of how quotas are decided meanwhile. */
  readonly meanwhile: () => Record<string, unknown>;
}

const CHECK_IN_MS = 2_000;
const FIRST_CHECK_IN_MS = 1_000;
/** While the store is away, it is asked again after so long, and after twice as long each time … */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 1_000;
/** … which starts over once it has been there for so long: a store that comes and goes is not trusted at once. */
const STEADY_MS = 10_000;

interface Outage {
  readonly reason: FallbackReason;
  readonly sinceMs: number;
  decisions: number;
}

/**
 * Knows whether the store answers. From the first decision or check-in that fails, or is late, until a
 * check-in is answered in time, the store is away: no call asks it, so none waits in vain. Both ends of
 * an outage are logged, once each.
 */
export class StoreWatch {
  readonly #options: StoreWatchOptions;
  #store: Pick<RemoteStore, "checkIn"> | undefined;
  #outage: Outage | undefined;
  #failed: readonly Charge[] = [];
  #retryMs = FIRST_RETRY_MS;
  #backSinceMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #checking = false;
  #closed = false;

  constructor(options: StoreWatchOptions) {
    this.#options = options;
  }

  /** Watches a store from its first check-in on; resolves whatever comes of it. */
  start(store: Pick<RemoteStore, "checkIn">): Promise<void> {
    this.#store = store;
    return this.#checkIn(Math.max(FIRST_CHECK_IN_MS, this.#options.timeoutMs));
  }

  /** Why the store is away; undefined: it is not. */
  get away(): FallbackReason | undefined {
    return this.#outage?.reason;
  }

  /** A decision was made here that was the store's to make. */
  decidedHere(reason: FallbackReason): void {
    this.#options.stats.fallbacks[reason] += 1;
    if (this.#outage) this.#outage.decisions += 1;
  }

  /** The store failed. @param failed the charges that it was asked for */
  failed(error: unknown, failed: readonly Charge[] = []): FallbackReason {
    const reason = error instanceof LateError ? "timeout" : "error";
    if (failed.length > 0) this.#failed = failed;
    if (this.#outage || this.#closed) return reason;
    const { log, stats, meanwhile } = this.#options;
    const nowMs = performance.now();
    if (nowMs - this.#backSinceMs > STEADY_MS) this.#retryMs = FIRST_RETRY_MS;
    this.#outage = { reason, sinceMs: nowMs, decisions: 0 };
    stats.up = false;
    const why = error instanceof Error ? error.message : String(error);
    log.warn(
      { reason: why, ...meanwhile() },
      "the quota store is away: quotas are not shared until it is back",
    );
    this.#schedule(this.#retryMs);
    return reason;
  }

  /** Asks a store that is away again, now: there is a connection to it. */
  reconnected(): void {
    if (this.#outage) void this.#checkIn(this.#options.timeoutMs);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #checkIn(timeoutMs: number): Promise<void> {
    if (!this.#store || this.#checking || this.#closed) return;
    this.#checking = true;
    clearTimeout(this.#timer);
    try {
      this.#answered(await inTime(this.#store.checkIn(this.#failed), timeoutMs));
    } catch (error) {
      this.failed(error);
    }
    this.#checking = false;
    if (this.#closed) return;
    this.#schedule(this.#outage ? this.#retryMs : CHECK_IN_MS);
    if (this.#outage) this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  #answered(replicas: number): void {
    if (this.#closed) return;
    const { stats, log, onReplicas } = this.#options;
    onReplicas(replicas);
    stats.up = true;
    this.#failed = [];
    if (!this.#outage) return;
    const { sinceMs, decisions } = this.#outage;
    this.#outage = undefined;
    this.#backSinceMs = performance.now();
    log.info(
      { away_ms: Math.round(this.#backSinceMs - sinceMs), decided_meanwhile: decisions, replicas },
      "the quota store is back: quotas are shared again",
    );
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#checkIn(this.#options.timeoutMs), delayMs);
  }
}
