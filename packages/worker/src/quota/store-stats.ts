/** Why a decision was not the shared store's. */
export type FallbackReason = "timeout" | "error";

/** Upper bounds of the histogram of round trips, in seconds; 0.02 is the default of `QUOTA_STORE_TIMEOUT`. */
export const ROUND_TRIP_BUCKETS: readonly number[] = [
  0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1,
];

/** How a shared quota store does, as plain numbers. */
export class QuotaStoreStats {
  /** Whether it answers. */
  up = false;
  /** Decisions that were not the store's. */
  readonly fallbacks: Record<FallbackReason, number> = { timeout: 0, error: 0 };
  /** Answers per bucket, not cumulative; the last one holds what is above every bound. Late ones count too. */
  readonly buckets: number[] = [...ROUND_TRIP_BUCKETS.map(() => 0), 0];
  secondsSum = 0;

  answered(seconds: number): void {
    this.secondsSum += seconds;
    let bucket = 0;
    while (bucket < ROUND_TRIP_BUCKETS.length && seconds > (ROUND_TRIP_BUCKETS[bucket] ?? 0)) bucket += 1;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
  }
}
