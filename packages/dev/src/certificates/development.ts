import { X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WORKERS } from "../workers/list.ts";
import { type Authority, createAuthority, loadAuthority } from "./authority.ts";

/** What has been made, or found good. */
export interface DevelopmentCertificates {
  /** Undefined: the authority that was there signed the new certificates too. */
  readonly newAuthority: "first" | "forced" | "ends" | "unusable" | undefined;
  /** When they end to be valid. */
  readonly authorityValidTo: Date;
  readonly leavesValidTo: Date;
  readonly serverNames: readonly string[];
}

export interface DevelopmentOptions {
  /** Makes a new authority though the one that is there is good. Who trusts the old one has to be told. */
  readonly force?: boolean;
  /** What counts as now, in milliseconds since the epoch. Default: it is. */
  readonly now?: number;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 365;
const LEAF_DAYS = 90;

/** Names by which a worker is called: on this machine, in Compose, and in Kubernetes from near and far. */
const NAMESPACE = "gantry";
const SERVICES = [...new Set([...WORKERS.map(({ name }) => name), "gateway"])];
const SERVER_NAMES = [
  ...["DNS:localhost", "IP:127.0.0.1", "IP:::1"],
  ...SERVICES.flatMap((name) =>
    [name, `${name}.${NAMESPACE}`, `${name}.${NAMESPACE}.svc`].map((dns) => `DNS:${dns}`),
  ),
  `DNS:*.${NAMESPACE}.svc.cluster.local`,
];
const CLIENT_NAMES = ["DNS:client", `URI:spiffe://${NAMESPACE}/client`];

/** Writes ca, server and client certificates with their keys, which their owner alone may read. */
export async function makeDevelopmentCertificates(
  directory: string,
  { force = false, now = Date.now() }: DevelopmentOptions = {},
): Promise<DevelopmentCertificates> {
  await mkdir(directory, { recursive: true });
  const leavesValidTo = new Date(now + LEAF_DAYS * DAY_MS);
  const found = force ? "forced" : await goodAuthority(directory, leavesValidTo);
  const authority =
    typeof found === "string"
      ? await createAuthority({ notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS) })
      : found;
  const validity = { notAfter: leavesValidTo };
  const server = await authority.issue({ names: SERVER_NAMES, commonName: "server", ...validity });
  const client = await authority.issue({
    names: CLIENT_NAMES,
    commonName: "client",
    usages: ["client"],
    ...validity,
  });
  for (const [name, { cert, key }] of Object.entries({ ca: authority, server, client })) {
    await write(join(directory, `${name}.key`), key, 0o600);
    await write(join(directory, `${name}.crt`), cert, 0o644);
  }
  return {
    newAuthority: typeof found === "string" ? found : undefined,
    authorityValidTo: new Date(new X509Certificate(authority.cert).validTo),
    leavesValidTo,
    serverNames: SERVER_NAMES,
  };
}

/** The authority that is there, if it outlives what it is to sign; else what is wrong with it. */
async function goodAuthority(
  directory: string,
  until: Date,
): Promise<Authority | NonNullable<DevelopmentCertificates["newAuthority"]>> {
  let pair: { cert: string; key: string };
  try {
    const read = (name: string) => readFile(join(directory, name), "utf8");
    pair = { cert: await read("ca.crt"), key: await read("ca.key") };
  } catch {
    return "first";
  }
  try {
    if (new Date(new X509Certificate(pair.cert).validTo) <= until) return "ends";
    return await loadAuthority(pair);
  } catch {
    return "unusable";
  }
}

/** Put in its place at once, so that a worker which watches it never reads a half of it. */
async function write(path: string, content: string, mode: number): Promise<void> {
  const written = `${path}.new`;
  await writeFile(written, content, { mode });
  // The mode of a new file is cut by the umask, and that of one that was left behind is not changed.
  await chmod(written, mode);
  await rename(written, path);
}
