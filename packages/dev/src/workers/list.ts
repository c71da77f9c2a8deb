import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../bootstrap.mjs";

/** A worker of this repository, as `npm start` and `npm run worker` know it. */
export interface LocalWorker {
  readonly name: string;
  /** What speaks on `port`. */
  readonly protocol: string;
  /** Where no setting names others. */
  readonly port: number;
  readonly adminPort: number;
  /** The workers that it calls, by their names: it is told where they are. Default: none. */
  readonly calls?: readonly string[];
}

/** Every worker that `npm start` runs. */
export const WORKERS: readonly LocalWorker[] = [
  { name: "greeter", protocol: "gRPC", port: 50051, adminPort: 9464 },
  { name: "math", protocol: "gRPC", port: 50052, adminPort: 9465 },
  { name: "gateway", protocol: "HTTP", port: 8080, adminPort: 9466, calls: ["greeter", "math"] },
];

/** The port of a worker where no setting names another. */
export function portOf(name: string): number {
  return WORKERS.find((worker) => worker.name === name)?.port ?? 50051;
}

/** The file that runs a worker. */
export function entryOf(name: string): string {
  return join(root, "services", name, "src/main.ts");
}

/** Every worker that can be run: each folder of services/ that has a main.ts. */
function workerNames(): string[] {
  return readdirSync(join(root, "services")).filter((name) => existsSync(entryOf(name)));
}

/** @throws Error naming the workers that there are. */
export function workerNamed(name: string | undefined): string {
  const known = workerNames();
  if (name !== undefined && known.includes(name)) return name;
  const asked = name === undefined ? "Which worker?" : `There is no worker ${JSON.stringify(name)}.`;
  throw new Error(
    `${asked} The workers are: ${known.join(", ")}. For example: npm run worker -- ${known[0]}`,
  );
}
