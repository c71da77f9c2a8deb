/**
 * The command `health`, of a worker's bundle and of `gantry`: for container engines, for the kubelet where it
 * cannot ask by gRPC itself, and for people.
 */
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { parseArgs } from "node:util";
import { checkHealth, HealthError, type TlsFacts } from "./check.ts";

export const HEALTH_USAGE = `health [host:port] [service] [--tls] [--ca <file>] [--cert <file> --key <file>] [--server-name <name>]

Asks a gRPC server for the health of a service or, without one, of the server as a whole (grpc.health.v1).
Exits with 0 where that is SERVING, with 1 and a sentence otherwise.

Without an address it asks the worker that has the same environment: HOST, PORT and, where it speaks TLS,
TLS_CERT. To a worker that asks for certificates (TLS_CLIENT_CA) it shows HEALTH_CERT with HEALTH_KEY, or else
the worker's own.

  --tls            by TLS; the server's certificate is signed by an authority that Node.js knows
  --ca             by TLS; it is signed by one of this PEM file
  --cert, --key    PEM files of a certificate to show, and of its private key
  --server-name    the name that the server's certificate has, if not the host's`;

const TIMEOUT_MS = 5_000;

const OPTIONS = {
  tls: { type: "boolean" },
  ca: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  "server-name": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

export interface HealthCommandOptions {
  /** Where a worker is whose `PORT` is not set. */
  readonly port: number;
  /** The settings of the worker to ask where no other one is named. */
  readonly env: NodeJS.ProcessEnv;
}

/** Runs the command, prints what it found and resolves with the exit code: 0 for SERVING, else 1. */
export async function runHealthCommand(
  args: readonly string[],
  options: HealthCommandOptions,
): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help) {
      console.log(HEALTH_USAGE);
      return 0;
    }
    const [address, service = "", ...more] = positionals;
    if (more.length > 0)
      throw new HealthError(`${JSON.stringify(more[0])} is too much: expected an address and a service.`);
    const tls = tlsByOptions(values) ?? (address === undefined ? tlsOfWorker(options.env) : undefined);
    const target = address === undefined ? addressOfWorker(options) : checked(address);
    const status = await checkHealth({ target, service, tls, timeoutMs: TIMEOUT_MS });
    const sentence = `${service === "" ? target : `${service} at ${target}`} is ${status}.`;
    if (status !== "SERVING") throw new HealthError(sentence);
    console.log(sentence);
    return 0;
  } catch (error) {
    const expected = error instanceof HealthError || (error instanceof TypeError && "code" in error);
    console.error(expected ? error.message : error);
    return 1;
  }
}

/** @throws HealthError where this is no host with a port */
function checked(address: string): string {
  const url = URL.parse(`grpc://${address}`);
  if (url?.hostname && url.port !== "" && url.host === address.toLowerCase()) return address;
  throw new HealthError(
    `${JSON.stringify(address)} is no address: expected one such as localhost:50051 or [::1]:50051.`,
  );
}

const EVERY_ADDRESS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

function addressOfWorker({ env, port }: HealthCommandOptions): string {
  const listening = env.HOST || "127.0.0.1";
  const host = EVERY_ADDRESS[listening] ?? listening;
  return checked(`${isIPv6(host) ? `[${host}]` : host}:${env.PORT || port}`);
}

interface TlsOptions {
  readonly tls?: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly "server-name"?: string;
}

/** What the command line says of TLS; undefined: nothing. */
function tlsByOptions(options: TlsOptions): TlsFacts | undefined {
  const { tls, ca, cert, key, "server-name": serverName } = options;
  if (!(tls || ca || cert || key || serverName)) return undefined;
  if ((cert === undefined) !== (key === undefined)) {
    const [found, missing] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw new HealthError(`--${found} was given alone: expected --${missing} beside it, or neither.`);
  }
  return {
    ...(ca !== undefined && { ca: read("--ca", ca) }),
    ...(cert !== undefined && { cert: read("--cert", cert) }),
    ...(key !== undefined && { key: read("--key", key) }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

/**
 * How a worker on this machine is asked that speaks TLS. It is known by the very certificate that it was given,
 * whoever has signed that and whatever names it has: it is asked by an address, which certificates rarely have.
 */
function tlsOfWorker(env: NodeJS.ProcessEnv): TlsFacts | undefined {
  if (!env.TLS_CERT) return undefined;
  return {
    ca: read("TLS_CERT", env.TLS_CERT),
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
    ...(env.TLS_CLIENT_CA && ownCertificate(env)),
  };
}

function ownCertificate(env: NodeJS.ProcessEnv): TlsFacts {
  const [cert, key] = env.HEALTH_CERT
    ? (["HEALTH_CERT", "HEALTH_KEY"] as const)
    : (["TLS_CERT", "TLS_KEY"] as const);
  return { cert: read(cert, env[cert]), key: read(key, env[key]) };
}

/** @throws HealthError that names the option or setting by which the file was asked for */
function read(name: string, path: string | undefined): Buffer {
  try {
    return readFileSync(path ?? "");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? error.code : error;
    throw new HealthError(
      `${name} is ${JSON.stringify(path ?? "")}: expected a file that can be read (${reason}).`,
    );
  }
}
