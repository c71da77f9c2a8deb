import { formatDurationMs, formatHostAndPort } from "@gantry/rpc";
import type { Logger } from "../log.ts";
import type { Settings } from "../settings.ts";
import { advertisedAddress } from "./advertise.ts";

/** A worker's place in discovery, from when it serves until it drains. */
export interface Discovery {
  /** Takes the worker out, so that clients call others. @param timeoutMs how long etcd may take */
  leave(timeoutMs: number): Promise<void>;
}

/** Whether the worker can be found. */
export interface DiscoveryStats {
  registered: boolean;
}

export interface DiscoveryOptions {
  /** The worker's name, which clients find it by. */
  readonly name: string;
  /** The port that it serves on. */
  readonly port: number;
  readonly settings: Settings;
  readonly stats: DiscoveryStats;
  readonly log: Logger;
}

/** Registers a worker where `DISCOVERY` says, and keeps it registered; what changes is logged, once. */
export async function startDiscovery(options: DiscoveryOptions): Promise<Discovery | undefined> {
  const { name, port, settings, stats } = options;
  const { discovery: etcd, discoveryFiles: files, discoveryTtlMs: ttlMs } = settings;
  if (!etcd) return undefined;
  // A worker is a client of etcd; one without DISCOVERY has no need of the client kit.
  const { register } = await import("@gantry/client/etcd");
  const address = advertisedAddress(settings, port);
  const log = options.log.child({ discovery: etcd.text, address: formatHostAndPort(address) });
  let awaySinceMs: number | undefined;

  const registration = register({
    etcd: { ...etcd, files },
    name,
    address,
    ttlMs,
    onRegistered() {
      stats.registered = true;
      const away = awaySinceMs === undefined ? {} : { away_ms: Math.round(performance.now() - awaySinceMs) };
      awaySinceMs = undefined;
      log.info(away, "registered: clients find this worker");
    },
    onLost(reason) {
      stats.registered = false;
      if (awaySinceMs !== undefined) return;
      awaySinceMs = performance.now();
      log.warn({ reason }, "not registered: this worker tries again until it is");
    },
  });

  return {
    async leave(timeoutMs) {
      try {
        await registration.leave(timeoutMs);
        log.info("unregistered: clients call others");
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ reason }, `could not unregister: clients are told within ${formatDurationMs(ttlMs)}`);
      }
      stats.registered = false;
    },
  };
}
