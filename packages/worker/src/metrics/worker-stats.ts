import type { Method } from "../method.ts";
import type { QuotaStats } from "../quota/quota-stats.ts";
import type { WorkerState } from "../state.ts";

/** Everything that a worker counts, as plain numbers. Metrics are made of it when somebody asks. */
export interface WorkerStats {
  readonly methods: readonly Method[];
  readonly quotas: QuotaStats;
  /** Calls turned away because too many were in flight. */
  readonly shed: number;
  readonly state: WorkerState;
}
