import { isLoopback } from "./loopback.ts";
import { maskServerAddress, parseServerAddress, type ServerAddress } from "./server-address.ts";

/** Where an etcd is, and where in it workers stand: the setting `DISCOVERY`. */
export interface EtcdAddress extends Pick<ServerAddress, "hosts" | "credentials" | "text"> {
  readonly tls: boolean;
  /** The keys of workers are `<prefix>/<name>/<host:port>`. */
  readonly prefix: string;
}

/** The prefix where an address says none. */
const DEFAULT_PREFIX = "gantry";

const FORM = {
  schemes: ["etcd", "etcds"],
  defaultPort: 2379,
  expected: "a URL such as etcd://host:2379 or etcds://user:password@host:2379/prefix",
};

/**
 * Reads `etcd://host[:port][,host[:port]…][/prefix]`; `etcds://[user:password@]…` is the same over TLS. The
 * hosts are members of one etcd.
 *
 * @throws TypeError that says what was expected, without a word of what was found
 */
export function parseEtcdAddress(text: string): EtcdAddress {
  const { scheme, hosts, path, query, credentials } = parseServerAddress(text, FORM);
  const prefix = path.replace(/\/$/, "");
  if (query !== "") throw new TypeError("no parameter behind a question mark");
  if (!/^(?:[^\s/]+(?:\/[^\s/]+)*)?$/.test(prefix)) {
    throw new TypeError("a prefix of words with one slash between them, such as team/gantry");
  }
  const { username, password } = credentials();
  if (password !== undefined && username === undefined) throw new TypeError("a user beside the password");
  const tls = scheme === "etcds";
  if (password !== undefined && !tls && !hosts.every(({ host }) => isLoopback(host))) {
    throw new TypeError("a password to go over TLS, by etcds://, unless etcd is on this host");
  }
  return { hosts, tls, prefix: prefix || DEFAULT_PREFIX, credentials, text: maskEtcdAddress(text) };
}

/** What may be shown of an address, be it right or wrong. */
export function maskEtcdAddress(text: string): string {
  return maskServerAddress(text).replace(/[?#].*$/s, "?***");
}
