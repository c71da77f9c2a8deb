import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../bootstrap.mjs";
import { bufCommand } from "../../generate.mjs";
import { WORKERS } from "../workers/list.ts";
import { envoyFiles } from "./configuration.ts";

/** Where Envoy's files are, beside its Deployment. */
const DIRECTORY = "k8s/base/envoy";

const MAX_IMAGE_BYTES = 64 * 1024 * 1024;

/** Writes Envoy's files. */
export function writeEnvoyFiles(): void {
  for (const [name, bytes] of madeAnew()) writeFileSync(join(root, DIRECTORY, name), bytes);
}

/**
 * The files, from the root, that are not what the contracts make of them.
 *
 * @param directory where they are. Default: where they are deployed from.
 */
export function staleEnvoyFiles(directory = join(root, DIRECTORY)): string[] {
  const isStale = ([name, bytes]: [string, Buffer]) => {
    const path = join(directory, name);
    return !existsSync(path) || !bytes.equals(readFileSync(path));
  };
  return Array.from(madeAnew())
    .filter(isStale)
    .map(([name]) => `${DIRECTORY}/${name}`);
}

function madeAnew(): Map<string, Buffer> {
  const image = ["build", "--as-file-descriptor-set", "--exclude-source-info", "--output", "-#format=binpb"];
  const { command, args, env } = bufCommand(...image);
  const contracts = execFileSync(command, args, { cwd: root, env, maxBuffer: MAX_IMAGE_BYTES });
  return envoyFiles(contracts, WORKERS);
}
