import { maskServerAddress, parseServerAddress, type ServerAddress } from "@gantry/rpc";

/** Where a Redis or Valkey is, as `QUOTA_STORE` says it. */
export interface RedisAddress extends Pick<ServerAddress, "credentials" | "text"> {
  /** One server; or some nodes of a cluster, which tells of the others. */
  readonly nodes: ServerAddress["hosts"];
  readonly cluster: boolean;
  readonly tls: boolean;
  readonly database: number;
}

const FORM = {
  schemes: ["redis", "rediss"],
  defaultPort: 6379,
  expected: "a URL such as redis://host:6379 or rediss://user:password@host:6379/0",
};

/**
 * Reads `redis://[[user]:password@]host[:port][,host[:port]…][/database][?cluster=true]`; `rediss://` is
 * the same over TLS. Several hosts are a cluster, and so is one with `cluster=true`.
 *
 * @throws TypeError that says what was expected, without a word of what was found
 */
export function parseRedisAddress(text: string): RedisAddress {
  const { scheme, hosts: nodes, path: database, query, credentials } = parseServerAddress(text, FORM);
  if (!/^\d*$/.test(database)) throw new TypeError(FORM.expected);
  const cluster = nodes.length > 1 || isCluster(query);
  if (cluster && Number(database) > 0) {
    throw new TypeError("no database other than 0, for a cluster has no other");
  }
  return {
    nodes,
    cluster,
    tls: scheme === "rediss",
    database: Number(database),
    credentials,
    text: maskRedisAddress(text),
  };
}

/** What may be shown of an address, be it right or wrong. */
export function maskRedisAddress(text: string): string {
  return maskServerAddress(text).replace(/[?#].*$/s, (query) => (query === "?cluster=true" ? query : "?***"));
}

function isCluster(query: string): boolean {
  if (query === "" || query === "cluster=false") return false;
  if (query === "cluster=true") return true;
  throw new TypeError("no parameter other than cluster=true");
}
