import { type Event, Event_EventType, type KeyValue } from "@gantry/proto/etcd/api/mvccpb/kv_pb.js";
import { formatHostAndPort, type HostAndPort } from "@gantry/rpc";
import { addressIn, textOf } from "./keys.ts";

/** More than these are not called: who writes to etcd does not fill the memory of its readers. */
export const MAX_INSTANCES = 10_000;

/** What a list was read at. */
export interface ReadAt {
  readonly clusterId: bigint;
  readonly revision: bigint;
}

/**
 * The instances of a service, as etcd told of them last.
 *
 * An etcd that has lost its data comes back without the instances that are there all the same, and that will
 * be in it again in a moment. So what an earlier list had is *kept* beside a list that is of another history,
 * or has nothing in it, until `dropKept`.
 */
export class KnownInstances {
  #listed = new Map<string, HostAndPort>();
  #kept = new Map<string, HostAndPort>();
  #readAt: ReadAt | undefined;

  /** Takes a whole list. @returns whether instances that are not in it are kept */
  list(entries: readonly KeyValue[], readAt: ReadAt): boolean {
    const before = new Map([...this.#kept, ...this.#listed]);
    const lost = this.#readAt !== undefined && !continues(this.#readAt, readAt);
    this.#listed = new Map();
    for (const entry of entries) this.#add(entry);
    this.#kept = lost || this.#listed.size === 0 ? before : new Map();
    this.#readAt = readAt;
    return this.#kept.size > 0;
  }

  apply(events: readonly Event[], revision: bigint): void {
    for (const { type, kv } of events) {
      if (!kv) continue;
      if (type === Event_EventType.PUT) this.#add(kv);
      else this.#remove(kv);
    }
    if (this.#readAt) this.#readAt = { ...this.#readAt, revision };
  }

  dropKept(): void {
    this.#kept.clear();
  }

  /** In an order of their own, each once. */
  addresses(): HostAndPort[] {
    const addresses = new Map(
      [...this.#kept.values(), ...this.#listed.values()].map((each) => [formatHostAndPort(each), each]),
    );
    return [...addresses].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, address]) => address);
  }

  #add({ key, value }: KeyValue): void {
    const name = textOf(key);
    const address = addressIn(value);
    if (!address) this.#listed.delete(name);
    else if (this.#listed.has(name) || this.#listed.size < MAX_INSTANCES) this.#listed.set(name, address);
  }

  #remove({ key }: KeyValue): void {
    this.#listed.delete(textOf(key));
    this.#kept.delete(textOf(key));
  }
}

function continues(earlier: ReadAt, later: ReadAt): boolean {
  return later.clusterId === earlier.clusterId && later.revision >= earlier.revision;
}
