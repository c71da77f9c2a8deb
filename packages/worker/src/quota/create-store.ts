import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { type Settings, SettingsError } from "../settings.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { QuotaStore } from "./store.ts";
import type { QuotaStoreStats } from "./store-stats.ts";

export interface QuotaStoreOptions {
  /** The worker's name: replicas that share a store share the counts of their name. */
  readonly worker: string;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface QuotaStoreParts {
  readonly store: QuotaStore;
  /** How a shared store does; undefined: it is this worker's memory. */
  readonly stats: QuotaStoreStats | undefined;
}

/**
 * The store that `QUOTA_STORE` names. One that is elsewhere need not be there yet.
 *
 * @throws SettingsError where `QUOTA_STORE_CA` cannot be used
 */
export async function createQuotaStore(options: QuotaStoreOptions): Promise<QuotaStoreParts> {
  const { worker, settings, clock, log } = options;
  const { quotaStore: address, quotaStoreCa: caFile, quotaSubjects: maxSubjects } = settings;
  const timeoutMs = settings.quotaStoreTimeoutMs;
  if (address === "memory") {
    return { store: createMemoryStore({ clock, maxSubjects }), stats: undefined };
  }

  const [{ createSharedStore }, { createRedisStore }, { readAuthorities }] = await Promise.all([
    import("./shared-store.ts"),
    import("./redis-store.ts"),
    import("./authorities.ts"),
  ]);
  const authorities =
    caFile === undefined ? undefined : await readAuthorities(caFile).catch(wrongAuthorities);
  const store = await createSharedStore({
    connect: (events) => createRedisStore({ address, worker, authorities, timeoutMs, ...events }),
    timeoutMs,
    fallback: settings.quotaStoreFallback,
    share: settings.quotaShare,
    maxSubjects,
    clock,
    log: log.child({ quota_store: address.text }),
  });
  return { store, stats: store.stats };
}

function wrongAuthorities(error: Error): never {
  throw new SettingsError([`QUOTA_STORE_CA: ${error.message}.`]);
}
