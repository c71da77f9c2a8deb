/** Where a Redis or Valkey is, as `QUOTA_STORE` says it. */
export interface RedisAddress {
  /** One server; or some nodes of a cluster, which tells of the others. */
  readonly nodes: readonly RedisNode[];
  readonly cluster: boolean;
  readonly tls: boolean;
  readonly database: number;
  /** A function, so that no text, JSON or inspection of the settings shows them. */
  readonly credentials: () => RedisCredentials;
  /** The address as logs may show it: without credentials. */
  readonly text: string;
}

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

export interface RedisCredentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const DEFAULT_PORT = 6379;

/**
 * Reads `redis://[[user]:password@]host[:port][,host[:port]…][/database][?cluster=true]`; `rediss://` is
 * the same over TLS. Several hosts are a cluster, and so is one with `cluster=true`. User and password are
 * percent-encoded, as in any URL.
 *
 * @throws TypeError that says what was expected, without a word of what was found
 */
export function parseRedisAddress(text: string): RedisAddress {
  const match = /^(rediss?):\/\/(?:(.*)@)?([^@/?#]*)(?:\/(\d*))?(?:\?([^#]*))?$/s.exec(text.trim());
  if (!match) throw new TypeError("a URL such as redis://host:6379 or rediss://user:password@host:6379/0");
  const [, scheme, userInfo = "", hosts = "", database = "", query = ""] = match;
  const nodes = hosts.split(",").map(parseNode);
  const cluster = nodes.length > 1 || isCluster(query);
  if (cluster && Number(database) > 0) {
    throw new TypeError("no database other than 0, for a cluster has no other");
  }
  const credentials = parseCredentials(userInfo);
  return {
    nodes,
    cluster,
    tls: scheme === "rediss",
    database: Number(database),
    credentials: () => credentials,
    text: maskRedisAddress(text),
  };
}

/** What may be shown of an address, be it right or wrong: everything up to the last `@` might be secret. */
export function maskRedisAddress(text: string): string {
  const at = text.lastIndexOf("@");
  const shown = at < 0 ? text : `${/^\w+:\/\//.exec(text)?.[0] ?? ""}***${text.slice(at)}`;
  return shown.trim().replace(/[?#].*$/s, (query) => (query === "?cluster=true" ? query : "?***"));
}

function parseNode(text: string): RedisNode {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? DEFAULT_PORT);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new TypeError("hosts as host:port, with a port from 1 to 65535, an IPv6 address in brackets");
  }
  return { host, port };
}

function isCluster(query: string): boolean {
  if (query === "" || query === "cluster=false") return false;
  if (query === "cluster=true") return true;
  throw new TypeError("no parameter other than cluster=true");
}

function parseCredentials(userInfo: string): RedisCredentials {
  const colon = userInfo.indexOf(":");
  const username = colon < 0 ? userInfo : userInfo.slice(0, colon);
  const password = colon < 0 ? "" : userInfo.slice(colon + 1);
  if (username !== "" && password === "") {
    throw new TypeError("a password beside the user, as in user:password@, or :password@ without a user");
  }
  try {
    return {
      username: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(password) || undefined,
    };
  } catch {
    throw new TypeError('user and password percent-encoded, a "%" itself as %25');
  }
}
