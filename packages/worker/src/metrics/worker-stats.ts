import type { Method } from "../method.ts";
import type { QuotaStats } from "../quota/quota-stats.ts";
import type { QuotaStoreStats } from "../quota/store-stats.ts";
import type { WorkerState } from "../state.ts";

/** Everything that a worker counts, as plain numbers. Metrics are made of it when somebody asks. */
export interface WorkerStats {
  readonly methods: readonly Method[];
  readonly quotas: QuotaStats;
  /** Undefined: quotas are counted in this worker's memory. */
  readonly quotaStore?: QuotaStoreStats | undefined;
  /** Calls turned away because too many were in flight. */
  readonly shed: number;
  readonly state: WorkerState;
}
