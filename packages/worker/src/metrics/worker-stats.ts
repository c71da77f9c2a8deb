import type { AuthStats } from "../auth/auth-stats.ts";
import type { DiscoveryStats } from "../discovery/discovery.ts";
import type { Method } from "../method.ts";
import type { QuotaStats } from "../quota/quota-stats.ts";
import type { QuotaStoreStats } from "../quota/store-stats.ts";
import type { WorkerState } from "../state.ts";
import type { TlsStats } from "../transport/tls/tls-stats.ts";

/** Everything that a worker counts, as plain numbers. Metrics are made of it when somebody asks. */
export interface WorkerStats {
  readonly methods: readonly Method[];
  /** Undefined: nobody is asked who they are. */
  readonly auth?: AuthStats | undefined;
  readonly quotas: QuotaStats;
  /** Undefined: quotas are counted in this worker's memory. */
  readonly quotaStore?: QuotaStoreStats | undefined;
  /** Undefined: there is no `DISCOVERY`. */
  readonly discovery?: DiscoveryStats | undefined;
  /** Undefined: plaintext. */
  readonly tls?: TlsStats | undefined;
  /** Calls turned away because too many were in flight. */
  readonly shed: number;
  readonly state: WorkerState;
}
