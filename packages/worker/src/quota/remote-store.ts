import type { Charge, Decision, QuotaStore } from "./store.ts";

/** A store that replicas share, as such: it may be slow, or away. */
export interface RemoteStore extends QuotaStore {
  /** Rejects where the store is away. What was charged is not known then. */
  take(charges: readonly Charge[]): Promise<Decision>;
  /**
   * Says that this replica is there.
   *
   * @param failed the charges that could not be taken last: the part of the store that has them has to answer too
   * @returns how many replicas are there, this one included
   */
  checkIn(failed: readonly Charge[]): Promise<number>;
}
