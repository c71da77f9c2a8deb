import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import {
  type Channel,
  type ChannelCredentials,
  connect,
  insecure,
  type TlsOptions,
  tls,
} from "@gantry/client";
import { formatDurationMs, parseDurationMs } from "@gantry/rpc";
import { type ConsoleSettings, readConsoleSettings } from "./console/settings.ts";

/** The gateway's own settings, beside those that every worker has. */
export interface GatewaySettings<Worker extends string = string> {
  /** `<NAME>_TARGET`: where each worker is, as gRPC names it. */
  readonly channels: Readonly<Record<Worker, Channel>>;
  /** A channel to any other worker, by the same credentials. */
  readonly connectTo: (target: string) => Channel;
  /** `UPSTREAM_TIMEOUT`: how long a worker may take where no deadline says so. Default 10s. */
  readonly timeoutMs: number;
  /** `MAX_SOCKETS`: sockets of Socket.IO at the same time. Default 10,000. */
  readonly maxSockets: number;
  /** `CONSOLE` and those that begin so. Undefined, the default: there is no console. */
  readonly console: ConsoleSettings | undefined;
  /** What is wrong with them, a sentence each. */
  readonly problems: readonly string[];
}

const LONGEST_TIMEOUT_MS = 3_600_000;

/**
 * Reads the gateway's own settings. What is wrong is not thrown, so that it can be told together with what is
 * wrong with the others; in its place stands the default.
 *
 * @param targets where each worker is unless a setting says so, by its name
 */
export function readGatewaySettings<Worker extends string>(
  env: NodeJS.ProcessEnv,
  targets: Readonly<Record<Worker, string>>,
): GatewaySettings<Worker> {
  const problems: string[] = [];
  const wrong = (name: string, expected: string) => {
    problems.push(`${name} is ${JSON.stringify(env[name])}: expected ${expected}.`);
  };
  const credentials = readCredentials(env, problems);
  const options = { credentials, ...(env.DISCOVERY && { discovery: env.DISCOVERY }) };
  const open = (worker: string, byDefault: string) => {
    const name = `${worker.toUpperCase()}_TARGET`;
    try {
      return connect(env[name] || byDefault, options);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      problems.push(`${name} is wrong. ${error.message}`);
      return connect(byDefault, options);
    }
  };
  const channels = Object.entries<string>(targets).map(([worker, target]) => [worker, open(worker, target)]);

  const timeoutMs = env.UPSTREAM_TIMEOUT ? parseDurationMs(env.UPSTREAM_TIMEOUT) : 10_000;
  if (timeoutMs === undefined || timeoutMs < 1 || timeoutMs > LONGEST_TIMEOUT_MS) {
    wrong("UPSTREAM_TIMEOUT", `a duration from 1ms to ${formatDurationMs(LONGEST_TIMEOUT_MS)}, such as 10s`);
  }
  const maxSockets = env.MAX_SOCKETS ? Number(env.MAX_SOCKETS) : 10_000;
  if (!Number.isInteger(maxSockets) || maxSockets < 1 || maxSockets > 1_000_000) {
    wrong("MAX_SOCKETS", "a whole number from 1 to 1000000");
  }
  return {
    // One for each of the targets' names, as they were given.
    channels: Object.fromEntries(channels) as Record<Worker, Channel>,
    connectTo: (target) => connect(target, { credentials }),
    timeoutMs: timeoutMs ?? 0,
    maxSockets,
    console: readConsoleSettings(env, problems),
    problems,
  };
}

/** TLS to the workers, where a file is named. The files are read now, and anew for each connection. */
function readCredentials(env: NodeJS.ProcessEnv, problems: string[]): ChannelCredentials {
  const { UPSTREAM_TLS_CA: ca, UPSTREAM_TLS_CERT: cert, UPSTREAM_TLS_KEY: key } = env;
  const wrong: string[] = [];
  if (!cert !== !key) {
    wrong.push("Of UPSTREAM_TLS_CERT and UPSTREAM_TLS_KEY one is set: expected both or none.");
  }
  if (!ca && !cert && !key) return insecure;
  readTlsFiles(env, wrong);
  problems.push(...wrong);
  if (wrong.length > 0) return insecure;
  return tls(() => {
    const wrongByNow: string[] = [];
    const files = readTlsFiles(env, wrongByNow);
    if (wrongByNow.length > 0) throw new Error(wrongByNow.join(" "));
    return files;
  });
}

function readTlsFiles(env: NodeJS.ProcessEnv, problems: string[]): TlsOptions {
  const read = (name: string) => {
    const path = env[name];
    if (!path) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      problems.push(`${name} is ${JSON.stringify(path)}: ${reasonOf(error)}.`);
      return undefined;
    }
  };
  const ca = read("UPSTREAM_TLS_CA");
  const cert = read("UPSTREAM_TLS_CERT");
  const key = read("UPSTREAM_TLS_KEY");
  const files = { ...(ca && { ca }), ...(cert && key && { cert, key }) };
  try {
    // Node.js passes over authorities that are none.
    if (ca) new X509Certificate(ca);
    createSecureContext(files);
  } catch (error) {
    problems.push(
      `UPSTREAM_TLS_CA, UPSTREAM_TLS_CERT or UPSTREAM_TLS_KEY cannot be used: ${reasonOf(error)}.`,
    );
  }
  return files;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
