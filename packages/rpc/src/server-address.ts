/** Addresses of servers in settings: `scheme://[[user]:password@]host[:port][,host[:port]…][/path][?query]`. */

export interface ServerAddress {
  readonly scheme: string;
  readonly hosts: readonly HostAndPort[];
  /** What follows the hosts, without its first slash; "" where nothing does. */
  readonly path: string;
  readonly query: string;
  /** A function, so that no text, JSON or inspection of the settings shows them. */
  readonly credentials: () => ServerCredentials;
  /** The address as logs may show it: without credentials. */
  readonly text: string;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

export interface ServerCredentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export interface ServerAddressForm {
  readonly schemes: readonly string[];
  readonly defaultPort: number;
  /** What an error says was expected: "a URL such as …". */
  readonly expected: string;
}

/**
 * Reads the address of one server, or of several. User and password are percent-encoded, as in any URL.
 *
 * @throws TypeError that says what was expected, without a word of what was found
 */
export function parseServerAddress(
  text: string,
  { schemes, defaultPort, expected }: ServerAddressForm,
): ServerAddress {
  const match = /^(\w+):\/\/(?:(.*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/s.exec(text.trim());
  const [, scheme = "", userInfo = "", hosts = "", path = "", query = ""] = match ?? [];
  if (!schemes.includes(scheme)) throw new TypeError(expected);
  const credentials = parseCredentials(userInfo);
  return {
    scheme,
    hosts: hosts.split(",").map((host) => parseHostAndPort(host, defaultPort)),
    path,
    query,
    credentials: () => credentials,
    text: maskServerAddress(text),
  };
}

/** What may be shown of an address, be it right or wrong: everything up to the last `@` might be secret. */
export function maskServerAddress(text: string): string {
  const at = text.lastIndexOf("@");
  return (at < 0 ? text : `${/^\w+:\/\//.exec(text)?.[0] ?? ""}***${text.slice(at)}`).trim();
}

/**
 * Reads `host`, `host:port`, `[a::b]` or `[a::b]:port`.
 *
 * @throws TypeError that says what was expected
 */
export function parseHostAndPort(text: string, defaultPort?: number): HostAndPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? defaultPort);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw new TypeError("hosts as host:port, with a port from 1 to 65535, an IPv6 address in brackets");
  }
  return { host, port };
}

/** `host:port`, with an IPv6 address in brackets. */
export function formatHostAndPort({ host, port }: HostAndPort): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function parseCredentials(userInfo: string): ServerCredentials {
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
