import { existsSync } from "node:fs";
import {
  type EtcdAddress,
  formatDurationMs,
  maskEtcdAddress,
  parseDurationMs,
  parseEtcdAddress,
} from "@gantry/rpc";
import { parseAdvertise } from "./discovery/advertise.ts";
import { maskRedisAddress, parseRedisAddress, type RedisAddress } from "./quota/redis-address.ts";
import type { CorsOrigins } from "./transport/http/cors.ts";
import type { AlpnProtocol } from "./transport/tls/alpn.ts";
import { readTlsFiles, type TlsFiles } from "./transport/tls/tls-files.ts";
import { parseTrustedProxies, type TrustedProxies } from "./trusted-proxies.ts";

/** The settings of a worker, read from environment variables once at start. */
export interface Settings {
  /** `HOST`: the address to listen on. Default 127.0.0.1: nothing is open that need not be. */
  readonly host: string;
  /** `PORT`: calls, by every protocol. 0 takes any free one. */
  readonly port: number;
  /** `PROTOCOLS`: what is spoken on that port. `http` is HTTP/1.1: REST, Connect, gRPC-Web. Default `grpc,http`. */
  readonly protocols: readonly ("grpc" | "http")[];
  /** `CORS_ORIGINS`: whose pages may read answers over HTTP/1.1: origins, or `*` for any. Default: none. */
  readonly corsOrigins: CorsOrigins;
  /** `ADMIN_PORT`: metrics and probes. 0 takes any free one. */
  readonly adminPort: number;
  /** `TLS_CERT`, `TLS_KEY`, `TLS_CLIENT_CA`: the files that TLS is made of. Default: plaintext. */
  readonly tls: TlsFiles | undefined;
  /** `TLS_ALPN`: what clients get that offer both over TLS, as browsers, curl and Go's tools do. Default `http/1.1`. */
  readonly tlsAlpn: AlpnProtocol;
  /** `LOG_LEVEL`: trace, debug, info (default), warn, error, fatal or silent. */
  readonly logLevel: string;
  /** `POLICY_FILE`: overrides of the policy that the protos declare. Default: none. */
  readonly policyFile: string | undefined;
  /** `AUTH_FILE`: who may call, and by what credentials. Default: none, and anybody may. */
  readonly authFile: string | undefined;
  /** `QUOTA_SUBJECTS`: how many subjects quotas remember at most. Default 100,000. */
  readonly quotaSubjects: number;
  /** `QUOTA_STORE`: where quotas are counted. Default `memory`: in this worker, for itself. */
  readonly quotaStore: "memory" | RedisAddress;
  /** `QUOTA_STORE_CA`: a PEM file with the certificates that a store over TLS is trusted by. Default: the system's. */
  readonly quotaStoreCa: string | undefined;
  /** `QUOTA_STORE_TIMEOUT`: how long a call waits for the store. Default 20ms. */
  readonly quotaStoreTimeoutMs: number;
  /** `QUOTA_STORE_FALLBACK`: what becomes of calls that the store did not decide in time. Default `local`. */
  readonly quotaStoreFallback: "local" | "refuse" | "allow";
  /** `QUOTA_SHARE`: the part of each quota that a worker gives while the store is away. Default: as many workers as
   * the store saw last share alike. */
  readonly quotaShare: number | undefined;
  /** `DISCOVERY`: the etcd where clients find this worker. Default: none. */
  readonly discovery: EtcdAddress | undefined;
  /** `DISCOVERY_CA`, `DISCOVERY_CERT`, `DISCOVERY_KEY`: PEM files for an etcd over TLS, read anew for each connection. */
  readonly discoveryFiles: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
  };
  /** `DISCOVERY_TTL`: how long a worker that is gone without a word is still found. Default 10s. */
  readonly discoveryTtlMs: number;
  /** `ADVERTISE`: where others reach this worker. Default: `HOST`, and the port that it has. */
  readonly advertise: { readonly host: string; readonly port: number | undefined } | undefined;
  /** `TRUSTED_PROXIES`: whose `x-forwarded-for` says who calls: addresses and networks. Default: nobody's. */
  readonly trustedProxies: TrustedProxies | undefined;
  /** `MAX_CALLS_IN_FLIGHT`: calls past it are turned away with UNAVAILABLE. Default 10,000. */
  readonly maxCallsInFlight: number;
  /** `MAX_CONNECTIONS`: connections past it are closed at once. Default 10,000. */
  readonly maxConnections: number;
  /** `COMPRESSION`: `gzip` compresses replies for clients that accept it. Default `none`. */
  readonly compression: "none" | "gzip";
  /** `MAX_CONNECTION_AGE`: a connection is told to move on after it, ± 10 %. Default 30m. */
  readonly maxConnectionAgeMs: number;
  /** `DRAIN_DELAY`: between NOT_SERVING and closing the port. Default 0s. */
  readonly drainDelayMs: number;
  /** `DRAIN_TIMEOUT`: how long calls in flight may take to finish. Default 25s. */
  readonly drainTimeoutMs: number;
}

/** What differs from service to service. */
export interface SettingDefaults {
  readonly port?: number;
  readonly adminPort?: number;
}

/** Settings that cannot be used: every one of them, at once. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? "A setting is" : `${problems.length} settings are`} wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
    this.problems = problems;
  }
}

const PROTOCOLS = ["grpc", "http"] as const;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** Timers of Node.js take 24 days and fire at once where they are given more. */
const LONGEST_MS = 500 * 3_600_000;

/**
 * @param others what else is wrong with the environment, to be listed with it
 * @throws SettingsError listing everything that is wrong.
 */
export function readSettings(
  env: NodeJS.ProcessEnv,
  defaults: SettingDefaults = {},
  others: readonly string[] = [],
): Settings {
  const problems: string[] = [...others];

  function read<T>(name: string, byDefault: T, parse: (text: string) => T | undefined, expected: string): T {
    const text = env[name];
    if (text === undefined || text === "") return byDefault;
    const value = parse(text);
    if (value !== undefined) return value;
    problems.push(`${name} is ${JSON.stringify(text)}: expected ${expected}.`);
    return byDefault;
  }
  const whole = (least: number, most: number) => (text: string) => {
    const value = Number(text);
    return /^\d+$/.test(text) && value >= least && value <= most ? value : undefined;
  };
  const count = (name: string, byDefault: number, most: number) =>
    read(name, byDefault, whole(1, most), `a whole number from 1 to ${most}`);
  const port = (name: string, byDefault: number) =>
    read(name, byDefault, whole(0, 65_535), "a port from 1 to 65535, or 0 for any free one");
  const duration = (name: string, byDefault: number, leastMs = 0) => {
    const inBounds = (text: string) => {
      const ms = parseDurationMs(text);
      return ms !== undefined && ms >= leastMs && ms <= LONGEST_MS ? ms : undefined;
    };
    const least = leastMs > 0 ? ` from ${formatDurationMs(leastMs)}` : "";
    return read(name, byDefault, inBounds, `a duration${least} to 500h, such as 500ms, 25s or 30m`);
  };
  const oneOf =
    <T extends string>(...names: readonly T[]) =>
    (text: string) =>
      names.find((name) => name === text);

  /** An address may hold a password, even where it is no address at all. */
  const address = <T>(
    name: string,
    parse: (text: string) => T,
    { mask, instead = "" }: { mask: (text: string) => string; instead?: string },
  ) => {
    const text = env[name];
    if (text === undefined || text === "") return undefined;
    try {
      return parse(text);
    } catch (error) {
      const expected = error instanceof Error ? error.message : error;
      problems.push(`${name} is ${JSON.stringify(mask(text))}: expected ${instead}${expected}.`);
      return undefined;
    }
  };
  const file = (name: string) =>
    read(name, undefined, (path) => (existsSync(path) ? path : undefined), "a file that is there");

  const settings: Settings = {
    host: read("HOST", "127.0.0.1", (text) => text.trim() || undefined, "an address or a host name"),
    port: port("PORT", defaults.port ?? 50051),
    protocols: read("PROTOCOLS", PROTOCOLS, someOf(PROTOCOLS), "grpc, http, or both joined by a comma"),
    corsOrigins: read(
      "CORS_ORIGINS",
      [],
      origins,
      "*, or origins such as https://shop.example, joined by commas",
    ),
    adminPort: port("ADMIN_PORT", defaults.adminPort ?? 9464),
    tls: readTlsFiles(env, problems),
    tlsAlpn: read("TLS_ALPN", "http/1.1", oneOf("http/1.1", "h2"), "http/1.1 or h2"),
    logLevel: read("LOG_LEVEL", "info", oneOf(...LOG_LEVELS), `one of ${LOG_LEVELS.join(", ")}`),
    policyFile: file("POLICY_FILE"),
    authFile: file("AUTH_FILE"),
    quotaSubjects: count("QUOTA_SUBJECTS", 100_000, 100_000_000),
    quotaStore:
      address("QUOTA_STORE", (text) => (text === "memory" ? text : parseRedisAddress(text)), {
        mask: maskRedisAddress,
        instead: "memory, or ",
      }) ?? "memory",
    quotaStoreCa: env.QUOTA_STORE_CA || undefined,
    quotaStoreTimeoutMs: duration("QUOTA_STORE_TIMEOUT", 20, 1),
    quotaStoreFallback: read(
      "QUOTA_STORE_FALLBACK",
      "local",
      oneOf("local", "refuse", "allow"),
      "local, refuse or allow",
    ),
    quotaShare: read("QUOTA_SHARE", undefined, share, "a part such as 0.25 or 1/4, above 0 and at most 1"),
    discovery: address("DISCOVERY", parseEtcdAddress, { mask: maskEtcdAddress }),
    discoveryFiles: { ca: file("DISCOVERY_CA"), cert: file("DISCOVERY_CERT"), key: file("DISCOVERY_KEY") },
    discoveryTtlMs: duration("DISCOVERY_TTL", 10_000, 2_000),
    advertise: read(
      "ADVERTISE",
      undefined,
      parseAdvertise,
      "a host or host:port, an IPv6 address in brackets where a port follows",
    ),
    trustedProxies: read(
      "TRUSTED_PROXIES",
      undefined,
      parseTrustedProxies,
      "addresses and networks such as 10.0.0.0/8, joined by commas",
    ),
    maxCallsInFlight: count("MAX_CALLS_IN_FLIGHT", 10_000, 10_000_000),
    maxConnections: count("MAX_CONNECTIONS", 10_000, 1_000_000),
    compression: read("COMPRESSION", "none", oneOf("none", "gzip"), "none or gzip"),
    maxConnectionAgeMs: duration("MAX_CONNECTION_AGE", 30 * 60_000, 1_000),
    drainDelayMs: duration("DRAIN_DELAY", 0),
    drainTimeoutMs: duration("DRAIN_TIMEOUT", 25_000),
  };
  const { discovery, discoveryFiles } = settings;
  if (discovery && !discovery.tls && (discoveryFiles.ca || discoveryFiles.cert)) {
    problems.push("DISCOVERY_CA or DISCOVERY_CERT is set, but DISCOVERY is not over TLS: expected etcds://.");
  }
  if (!discoveryFiles.cert !== !discoveryFiles.key) {
    problems.push("One of DISCOVERY_CERT and DISCOVERY_KEY is set: expected both, or neither.");
  }
  if (settings.quotaStoreCa && (settings.quotaStore === "memory" || !settings.quotaStore.tls)) {
    problems.push("QUOTA_STORE_CA is set, but QUOTA_STORE is not over TLS: expected rediss://, or it unset.");
  }
  if (settings.port !== 0 && settings.port === settings.adminPort) {
    problems.push(`PORT and ADMIN_PORT are both ${settings.port}: expected two different ports.`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

/** Some of these names, joined by commas. */
function someOf<T extends string>(names: readonly T[]): (text: string) => readonly T[] | undefined {
  return (text) => {
    const given = text.split(",").map((name) => name.trim());
    return given.every((name) => (names as readonly string[]).includes(name))
      ? names.filter((name) => given.includes(name))
      : undefined;
  };
}

/** `*`, or origins as a browser writes them: a scheme, a host, and a port where it is not the scheme's own. */
function origins(text: string): CorsOrigins | undefined {
  if (text.trim() === "*") return "*";
  const given = text.split(",").map((origin) => origin.trim());
  return given.every((origin) => URL.parse(origin)?.origin === origin && origin !== "null")
    ? given
    : undefined;
}

/** `0.25`, or as a fraction `1/4`. */
function share(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(?:\/(\d+))?$/.exec(text.trim());
  const value = Number(match?.[1]) / Number(match?.[2] ?? 1);
  return value > 0 && value <= 1 ? value : undefined;
}
