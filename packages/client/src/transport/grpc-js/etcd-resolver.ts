/**
 * The instances of a service that are registered in etcd, for grpc-js: it calls those that a watch has told
 * it of.
 */
import { detached, type HostAndPort } from "@gantry/rpc";
import { experimental, Metadata, status } from "@grpc/grpc-js";
import type { EtcdTarget } from "../../etcd-target.ts";
import { type InstanceSource, loadInstanceSource } from "../instance-source.ts";

/** The scheme of names in an etcd that the channel option names. */
export const WATCHED_ETCD = "gantry-etcd";
/** The channel option that says which instances, as an `EtcdTarget`. Connections do not differ by it. */
export const ETCD_OPTION = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.gantry_etcd`;

class EtcdResolver implements experimental.Resolver {
  readonly #target: EtcdTarget;
  readonly #listener: experimental.ResolverListener;
  #source: InstanceSource | undefined;
  #wanted = false;

  constructor(...[, listener, options]: Parameters<typeof experimental.createResolver>) {
    // What grpc-channel.ts has put there.
    this.#target = options[ETCD_OPTION] as EtcdTarget;
    this.#listener = listener;
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path.slice(path.lastIndexOf("/") + 1);
  }

  /** A lost connection asks for it too: the watch tells what there is to tell by itself. */
  updateResolution(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    // The call that comes first has no say in what all get to know.
    detached(() => this.#start()).catch((error) => this.#fail(`etcd cannot be asked: ${error}`));
  }

  destroy(): void {
    this.#wanted = false;
    this.#source?.stop();
  }

  async #start(): Promise<void> {
    const open = await loadInstanceSource();
    if (!this.#wanted) return;
    this.#source ??= open(this.#target, {
      onInstances: (addresses) => this.#use(addresses),
      onUnknown: (reason) => this.#fail(reason),
    });
    this.#source.start();
  }

  #use(addresses: readonly HostAndPort[]): void {
    const endpoints = addresses.map(({ host, port }) => ({ addresses: [{ host, port }] }));
    this.#listener(experimental.statusOrFromValue(endpoints), {}, null, "");
    // Without an address, grpc-js has calls wait for one.
    const { name, etcd } = this.#target;
    if (addresses.length === 0) this.#fail(`etcd knows no instance at ${etcd.prefix}/${name}`);
  }

  #fail(reason: string): void {
    const error = { code: status.UNAVAILABLE, details: `${reason}.`, metadata: new Metadata() };
    this.#listener(experimental.statusOrFromError(error), {}, null, "");
  }
}

experimental.registerResolver(WATCHED_ETCD, EtcdResolver);
