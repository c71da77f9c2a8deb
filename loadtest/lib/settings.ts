/** Where a run calls, and how much: environment variables, or `-e NAME=value` of k6. README.md lists them. */

/** Who is called: the workers themselves, Envoy in front of them, or the REST paths of the gateway (or of Envoy). */
export type Target = "grpc" | "envoy" | "rest";

export interface Settings {
  readonly target: Target;
  /** `host:port`s of each worker, in the order in which a connection tries them. */
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  readonly restUrl: string;
  /** Certificates of the authorities that servers are trusted by, in PEM. "": plaintext. */
  readonly authorities: string;
  /** Sent as `authorization: Bearer …`. "": none is. */
  readonly token: string;
  /** The services that are called. Empty: all. */
  readonly services: readonly string[];
  /** Calls per second, or where a scenario starts. */
  readonly rate: number;
  /** The rate that `breakpoint` ends at, and `stress` and `spike` have at their height. */
  readonly maxRate: number;
  readonly durationMs: number;
  /** Most connections, as each virtual user has its own. */
  readonly connections: number;
  /** How many calls share a connection at a time. */
  readonly callsPerConnection: number;
  readonly timeoutMs: number;
  /** Streams that are open at once, in `streams`. */
  readonly streams: number;
  /** The rule that `quota` expects to be in force: its limit … */
  readonly quotaLimit: number;
  /** … and the time in which it refills; 0: never. */
  readonly quotaWindowMs: number;
  /** In `cold`: how often, after what pause, and how long the first answer may take. */
  readonly starts: number;
  readonly pauseMs: number;
  readonly coldMs: number;
  /** The contracts as a file of descriptors, which is quick to read. "": their texts are read. */
  readonly contracts: string;
  /** What tells this run from others, in metrics. "": nothing does. */
  readonly testId: string;
  /** Reports are written to this path and `.json` or `.html`. "": none are. */
  readonly report: string;
}

/** What a scenario says where no setting does. */
export type Defaults = Partial<Pick<Settings, "rate" | "maxRate" | "durationMs" | "connections">>;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param readFile reads the file of `TLS_CA`
 * @throws Error that names every wrong setting
 */
export function readSettings(
  env: Environment,
  defaults: Defaults,
  readFile: (path: string) => string,
): Settings {
  const problems: string[] = [];
  /** The value of a setting as `read` understands it. */
  function setting<T>(
    name: string,
    otherwise: T,
    expected: string,
    read: (text: string) => T | undefined,
  ): T {
    const text = env[name];
    if (text === undefined || text === "") return otherwise;
    const value = read(text);
    if (value === undefined) problems.push(`${name} is ${JSON.stringify(text)}: expected ${expected}.`);
    return value ?? otherwise;
  }
  const text = (name: string, otherwise: string) => setting(name, otherwise, "text", (value) => value);
  const count = (name: string, otherwise: number) =>
    setting(name, otherwise, "a whole number from 1 to 1000000", readCount);
  const time = (name: string, otherwise: number) =>
    setting(name, otherwise, "a time such as 500ms, 30s, 5m or 1h", readTime);
  const list = (name: string, otherwise: readonly string[]) =>
    setting(name, otherwise, "names that are joined by commas", readList);

  const target = setting<Target>("TARGET", "grpc", "grpc, envoy or rest", (value) =>
    TARGETS.find((known) => known === value),
  );
  const envoy = list("ENVOY_ADDRESS", ["localhost:10000"]);
  const authority = text("TLS_CA", "");
  const rate = count("RATE", defaults.rate ?? 50);
  const settings: Settings = {
    target,
    addresses: {
      greeter: target === "envoy" ? envoy : list("GREETER_ADDRESS", ["localhost:50051"]),
      math: target === "envoy" ? envoy : list("MATH_ADDRESS", ["localhost:50052"]),
    },
    restUrl: setting("REST_URL", "http://localhost:8080", "a URL such as http://localhost:8080", (value) =>
      /^https?:\/\/[^/?#\s]+\/*$/.test(value) ? value.replace(/\/+$/, "") : undefined,
    ),
    authorities: authority === "" ? "" : readFile(authority),
    token: text("TOKEN", ""),
    services: list("SERVICES", []),
    rate,
    maxRate: count("MAX_RATE", defaults.maxRate ?? rate * 10),
    durationMs: time("DURATION", defaults.durationMs ?? 60_000),
    connections: count("CONNECTIONS", defaults.connections ?? 50),
    callsPerConnection: count("CALLS_PER_CONNECTION", 1),
    timeoutMs: time("TIMEOUT", 5_000),
    streams: count("STREAMS", 1_000),
    quotaLimit: count("QUOTA_LIMIT", 60),
    quotaWindowMs: setting("QUOTA_WINDOW", 60_000, "a time such as 60s, or 0 for none", (value) =>
      value === "0" ? 0 : readTime(value),
    ),
    starts: count("STARTS", 1),
    pauseMs: setting("PAUSE", 0, "a time such as 5m, or 0", (value) => (value === "0" ? 0 : readTime(value))),
    coldMs: time("COLD_LIMIT", 10_000),
    contracts: text("CONTRACTS", ""),
    testId: text("TEST_ID", ""),
    report: text("REPORT", ""),
  };
  if (settings.maxRate < settings.rate) {
    problems.push(`MAX_RATE is ${settings.maxRate}: expected at least RATE, which is ${settings.rate}.`);
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return settings;
}

const TARGETS: readonly Target[] = ["grpc", "envoy", "rest"];

function readCount(text: string): number | undefined {
  return /^[1-9]\d{0,6}$/.test(text) && Number(text) <= 1_000_000 ? Number(text) : undefined;
}

function readList(text: string): string[] | undefined {
  const names = text.split(",").map((name) => name.trim());
  return names.includes("") ? undefined : names;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function readTime(text: string): number | undefined {
  const [, number = "", unit = ""] = /^([1-9]\d{0,8})(ms|s|m|h)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  return factor === undefined ? undefined : Number(number) * factor;
}
