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
}

/** Every worker that `npm start` runs. */
export const WORKERS: readonly LocalWorker[] = [
  { name: "greeter", protocol: "gRPC", port: 50051, adminPort: 9464 },
  { name: "math", protocol: "gRPC", port: 50052, adminPort: 9465 },
];

/** The file that runs a worker. */
export function entryOf(name: string): string {
  return join(root, "services", name, "src/main.ts");
}

/** @throws Error naming the workers that there are. */
export function workerNamed(name: string | undefined): LocalWorker {
  const found = WORKERS.find((worker) => worker.name === name);
  if (found) return found;
  const known = WORKERS.map((worker) => worker.name).join(", ");
  const asked = name === undefined ? "Which worker?" : `There is no worker ${JSON.stringify(name)}.`;
  throw new Error(`${asked} The workers are: ${known}. For example: npm run worker -- ${WORKERS[0]?.name}`);
}
