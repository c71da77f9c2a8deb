import { setTimeout as delay } from "node:timers/promises";
import { type Call, draining } from "./call.ts";
import type { Settings } from "./settings.ts";

/** What a worker is made of, as far as stopping it goes. */
export interface Drainable {
  readonly settings: Pick<Settings, "drainDelayMs" | "drainTimeoutMs">;
  /** The calls in flight. */
  readonly calls: ReadonlySet<Call>;
  /** Health says NOT_SERVING and `/readyz` 503 from now on. */
  stopServing(): void;
  /** Has clients find this worker no more. @param timeoutMs how long that may take */
  leaveDiscovery(timeoutMs: number): Promise<void>;
  /** Closes the port and tells clients to go elsewhere, which takes a round trip. */
  stopAccepting(): Promise<void>;
  /** Ends health Watches, which would otherwise keep their connections open. */
  endWatches(): void;
  /** Settles when the last connection is closed. */
  readonly connectionsClosed: Promise<void>;
  /** Breaks the connections that are still open. */
  destroyConnections(): void;
  closeStores(): Promise<void>;
  /** Traces and logs go last, so that they tell of everything before them. */
  flush(): Promise<void>;
}

/** The end of a worker's life, in order. Takes DRAIN_DELAY and at most DRAIN_TIMEOUT. */
export async function drain(worker: Drainable): Promise<void> {
  const { drainDelayMs, drainTimeoutMs } = worker.settings;
  // Cancelled calls have to get their status out, and spans have to be exported, within the timeout.
  const graceMs = Math.min(drainTimeoutMs / 5, MAX_GRACE_MS);

  worker.stopServing();
  const leavingAt = performance.now();
  await within(graceMs, worker.leaveDiscovery(graceMs));
  const leftMs = drainTimeoutMs - (performance.now() - leavingAt);
  if (drainDelayMs > 0) await delay(drainDelayMs);
  void worker.stopAccepting();
  worker.endWatches();
  await within(leftMs - graceMs, worker.connectionsClosed);
  for (const call of worker.calls) call.abort(draining());
  await within(graceMs / 2, worker.connectionsClosed);
  worker.destroyConnections();
  await worker.closeStores();
  await within(Math.max(graceMs / 2, MIN_FLUSH_MS), worker.flush());
}

const MAX_GRACE_MS = 2_000;
const MIN_FLUSH_MS = 100;

/** Waits for the work, but no longer than so many milliseconds. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, delay(ms, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}
