/**
 * Where a transport learns of the instances that an `etcd:` target means. What watches etcd is a client
 * itself, so the transport cannot import it: the package's entry, which knows both, says how it is loaded.
 */
import type { HostAndPort } from "@gantry/rpc";
import type { EtcdTarget } from "../etcd-target.ts";

/** Tells a listener of instances while it is started. */
export interface InstanceSource {
  /** May follow a `stop`; what was known before it is still known. */
  start(): void;
  stop(): void;
}

export interface InstanceListener {
  /** Where they are from now on. None: etcd was asked, and knows none. */
  onInstances(addresses: readonly HostAndPort[]): void;
  /** etcd cannot be asked, and no instance is known from before. */
  onUnknown(reason: string): void;
}

export type OpenInstanceSource = (target: EtcdTarget, listener: InstanceListener) => InstanceSource;

let load: (() => Promise<OpenInstanceSource>) | undefined;

export function setInstanceSource(loader: () => Promise<OpenInstanceSource>): void {
  load = loader;
}

/** Called when the first channel needs it. */
export async function loadInstanceSource(): Promise<OpenInstanceSource> {
  if (!load) throw new Error("clients of etcd targets are made by @gantry/client");
  return load();
}
