import { existsSync } from "node:fs";

/** The files that TLS is made of, by their paths. All are PEM, and read again when they change. */
export interface TlsFiles {
  /** `TLS_CERT`: the worker's certificate, with the intermediate ones behind it. */
  readonly cert: string;
  /** `TLS_KEY`: its private key, without a passphrase. */
  readonly key: string;
  /** `TLS_CLIENT_CA`: who may sign the certificates of clients. Undefined: clients are asked for none. */
  readonly clientCa: string | undefined;
}

/** The settings of TLS; undefined: plaintext. What is wrong with them is added to the problems. */
export function readTlsFiles(env: NodeJS.ProcessEnv, problems: string[]): TlsFiles | undefined {
  const path = (name: string) => {
    const value = env[name] || undefined;
    if (value !== undefined && !existsSync(value)) {
      problems.push(`${name} is ${JSON.stringify(value)}: expected a file that is there.`);
    }
    return value;
  };
  const [cert, key, clientCa] = [path("TLS_CERT"), path("TLS_KEY"), path("TLS_CLIENT_CA")];
  if (cert !== undefined && key !== undefined) return { cert, key, clientCa };
  if (cert !== undefined) problems.push("TLS_CERT is set, but TLS_KEY is not: expected both, or neither.");
  else if (key !== undefined)
    problems.push("TLS_KEY is set, but TLS_CERT is not: expected both, or neither.");
  else if (clientCa !== undefined) {
    problems.push("TLS_CLIENT_CA is set, but TLS_CERT and TLS_KEY are not: expected them beside it.");
  }
  return undefined;
}
