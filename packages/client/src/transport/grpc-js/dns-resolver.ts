/**
 * grpc-js looks a name up again only when a connection is lost, so instances that were added would get
 * no calls: https://github.com/grpc/grpc-node/issues/2265. Under a scheme of its own, this resolver has
 * grpc-js's look names up at an interval. The last known addresses hold where that fails.
 */
import { experimental } from "@grpc/grpc-js";

/** The scheme of names that are looked up again; what follows is as for `dns:`. */
export const REFRESHED_DNS = "gantry-dns";
/** The channel option that says how often, in milliseconds. */
export const REFRESH_OPTION = "gantry.dns_refresh_ms";

/** Lost connections make for a look-up too, but not for more than one in this time. */
const AT_MOST_EVERY_MS = 1_000;

class RefreshedDnsResolver implements experimental.Resolver {
  readonly #inner: experimental.Resolver;
  readonly #refreshMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(...[target, listener, options]: Parameters<typeof experimental.createResolver>) {
    this.#refreshMs = Number(options[REFRESH_OPTION]);
    this.#inner = experimental.createResolver({ ...target, scheme: "dns" }, listener, {
      ...options,
      "grpc.dns_min_time_between_resolutions_ms": Math.min(this.#refreshMs, AT_MOST_EVERY_MS),
    });
  }

  static getDefaultAuthority(target: experimental.GrpcUri): string {
    return target.path;
  }

  updateResolution(): void {
    this.#inner.updateResolution();
    this.#timer ??= setInterval(() => this.#inner.updateResolution(), this.#refreshMs).unref();
  }

  destroy(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#inner.destroy();
  }
}

experimental.registerResolver(REFRESHED_DNS, RefreshedDnsResolver);
