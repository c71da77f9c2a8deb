import type { WatchResponse } from "@gantry/proto/etcd/api/etcdserverpb/rpc_pb.js";
import { formatHostAndPort } from "@gantry/rpc";
import type { EtcdTarget } from "../etcd-target.ts";
import type { InstanceListener, InstanceSource } from "../transport/instance-source.ts";
import { rangeOf } from "./keys.ts";
import { KnownInstances, MAX_INSTANCES } from "./known-instances.ts";
import { ANSWER_TIMEOUT_MS, type EtcdSession, keepSessions } from "./session.ts";

/** Long enough for every worker to notice that its lease is gone, and to register again. */
const KEEP_MS = 15_000;

/**
 * Follows the instances of a service: reads the whole list, and from there on what changes. While etcd is
 * away, those that were known last stay.
 */
export class InstanceWatch implements InstanceSource {
  readonly #target: EtcdTarget;
  readonly #listener: InstanceListener;
  readonly #known = new KnownInstances();
  #running: AbortController | undefined;
  #keepTimer: NodeJS.Timeout | undefined;
  #told: string | undefined;

  constructor(target: EtcdTarget, listener: InstanceListener) {
    this.#target = target;
    this.#listener = listener;
  }

  start(): void {
    if (this.#running) return;
    const running = new AbortController();
    this.#running = running;
    this.#told = undefined;
    void keepSessions({
      etcd: this.#target.etcd,
      signal: running.signal,
      work: (session, signal, onSuccess) => this.#follow(session, signal, onSuccess),
      onFailure: (reason) => this.#onFailure(reason),
    });
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    clearTimeout(this.#keepTimer);
    this.#keepTimer = undefined;
    this.#known.dropKept();
  }

  async #follow(session: EtcdSession, signal: AbortSignal, onSuccess: () => void): Promise<void> {
    const range = rangeOf(this.#target.etcd.prefix, this.#target.name);
    const { headers } = session;
    const listed = await session.kv.range(
      { ...range, limit: BigInt(MAX_INSTANCES) },
      { headers, signal, timeoutMs: ANSWER_TIMEOUT_MS },
    );
    signal.throwIfAborted();
    if (!listed.header) throw new Error("etcd answered without a revision");
    const { clusterId, revision } = listed.header;
    if (this.#known.list(listed.kvs, { clusterId, revision })) this.#dropKeptLater();
    this.#tell();
    onSuccess();
    const create = { ...range, startRevision: revision + 1n, progressNotify: true };
    for await (const response of session.watch.watch(oneThenOpen(create, signal), { headers, signal })) {
      signal.throwIfAborted();
      if (response.canceled) throw new Error(`etcd ended the watch: ${reasonOf(response)}`);
      this.#known.apply(response.events, response.header?.revision ?? revision);
      this.#tell();
    }
  }

  #onFailure(reason: string): void {
    if (this.#known.addresses().length > 0) this.#tell();
    else this.#listener.onUnknown(`etcd could not be asked for ${this.#target.name}: ${reason}`);
  }

  /** Once for all that is kept meanwhile: an etcd that comes and goes does not keep for ever what is gone. */
  #dropKeptLater(): void {
    this.#keepTimer ??= setTimeout(() => {
      this.#keepTimer = undefined;
      this.#known.dropKept();
      this.#tell();
    }, KEEP_MS).unref();
  }

  /** Says what has changed; the same list again would have connections looked at for nothing. */
  #tell(): void {
    const addresses = this.#known.addresses();
    const text = addresses.map(formatHostAndPort).join();
    if (text === this.#told) return;
    this.#told = text;
    this.#listener.onInstances(addresses);
  }
}

/** A compaction is no failure of etcd's, but what follows is the same: the whole list, once more. */
function reasonOf({ compactRevision, cancelReason }: WatchResponse): string {
  return compactRevision > 0n ? `revisions before ${compactRevision} are compacted` : cancelReason;
}

/** The one request of a watch; where its stream of requests ended, the watch might too. */
async function* oneThenOpen<Create>(create: Create, signal: AbortSignal) {
  yield { requestUnion: { case: "createRequest" as const, value: create } };
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
