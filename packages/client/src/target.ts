import { isIP } from "node:net";
import { isLoopback } from "@gantry/rpc";

/** Where calls go, taken apart: `dns:///greeter:50051`. */
export interface Target {
  /** As it was given. */
  readonly text: string;
  readonly scheme: Scheme;
  /** What follows the scheme. */
  readonly rest: string;
  /** The name that the server's certificate has to have, unless another is asked for. */
  readonly host: string;
  /** Whether all that is sent stays on this host: loopback addresses and Unix sockets. */
  readonly local: boolean;
}

export type Scheme = (typeof SCHEMES)[number];

const SCHEMES = ["dns", "ipv4", "ipv6", "unix", "etcd", "etcds", "xds"] as const;

/**
 * Reads `dns:///host:port`, `host:port`, `ipv4:a.b.c.d:port,…`, `ipv6:[a::b]:port,…`, `unix:path`,
 * `unix:///path`, `etcd:///name`, `etcd://host:port,…/prefix/name`, `xds:///name` or `xds://authority/name`.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/naming.md
 *
 * @throws TypeError where it is none of them
 */
export function parseTarget(text: string): Target {
  const [, name = "", slashes] = /^([A-Za-z][A-Za-z0-9+.-]*):(\/\/)?/.exec(text) ?? [];
  const scheme = SCHEMES.find((known) => known === name);
  if (!scheme && slashes) {
    throw new TypeError(
      `The target ${JSON.stringify(text)} begins with "${name}:": expected ${SCHEMES.map((known) => `"${known}:"`).join(", ")} or a host and port.`,
    );
  }
  const rest = scheme ? text.slice(name.length + 1) : text;
  const addresses = rest.replace(/^\/\/[^/]*\//, "");
  if (addresses === "" || /\s/.test(text)) {
    throw new TypeError(
      `The target ${JSON.stringify(text)} names no host: expected one such as dns:///greeter:50051.`,
    );
  }
  // The name of a service says nothing of where its instances are.
  if (scheme === "etcd" || scheme === "etcds") {
    return { text, scheme, rest, host: addresses.slice(addresses.lastIndexOf("/") + 1), local: false };
  }
  if (scheme === "xds") return { text, scheme, rest, host: hostOf(addresses), local: false };
  const hosts = scheme === "unix" ? ["localhost"] : addresses.split(",").map(hostOf);
  return {
    text,
    scheme: scheme ?? "dns",
    rest,
    host: hosts[0] ?? addresses,
    local: hosts.every(isLoopback),
  };
}

function hostOf(address: string): string {
  const bracketed = /^\[(.*)\](:\d+)?$/.exec(address)?.[1];
  return bracketed ?? (isIP(address) === 6 ? address : address.replace(/:\d+$/, ""));
}
