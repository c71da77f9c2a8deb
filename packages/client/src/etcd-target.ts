import { type EtcdAddress, parseEtcdAddress } from "@gantry/rpc";
import type { Target } from "./target.ts";

/** An etcd, and the PEM files for it where it is over TLS. */
export interface Etcd extends EtcdAddress {
  readonly files: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
  };
}

/** The instances that an `etcd:` target means: those at `<prefix>/<name>/` in an etcd. */
export interface EtcdTarget {
  readonly etcd: Etcd;
  readonly name: string;
}

/**
 * Reads what follows the scheme: `///name` at the etcd and the prefix of `discovery`, `//host:port,…/name`
 * at an etcd of its own, each with a prefix of its own where one stands before the name.
 *
 * @param discovery an address as in the setting `DISCOVERY`; undefined: that of the environment
 * @throws TypeError where it is none of these, or names no etcd and `discovery` does not either
 */
export function etcdTarget(
  { text, scheme, rest }: Target,
  { discovery = process.env.DISCOVERY }: { discovery?: string | undefined } = {},
): EtcdTarget {
  const [, authority = "", path = ""] = /^\/\/([^/]*)\/(.+)$/.exec(rest) ?? [];
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const ownPrefix = slash < 0 ? "" : `/${path.slice(0, slash)}`;
  // Errors and spans show targets.
  if (authority.includes("@")) {
    throw new TypeError("An etcd target holds a user or password: expected them in DISCOVERY alone.");
  }
  const target = `The target ${JSON.stringify(text)}`;
  if (name === "") throw new TypeError(`${target} names no service: expected one such as etcd:///greeter.`);
  if (authority === "" && !discovery) {
    throw new TypeError(
      `${target} names no etcd: expected etcd://host:2379/${name}, or DISCOVERY to be set.`,
    );
  }
  try {
    const address = parseEtcdAddress(authority ? `${scheme}://${authority}${ownPrefix}` : (discovery ?? ""));
    if (scheme === "etcds" && !address.tls) throw new TypeError("DISCOVERY to be over TLS too");
    const { DISCOVERY_CA: ca, DISCOVERY_CERT: cert, DISCOVERY_KEY: key } = process.env;
    const prefix = ownPrefix.slice(1) || address.prefix;
    return { etcd: { ...address, prefix, files: { ca, cert, key } }, name };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const what = authority ? target : "DISCOVERY";
    throw new TypeError(`${what} names no etcd: expected ${error.message}.`);
  }
}
