import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A core for the server that is measured, and another one for everything else. */
export interface Cores {
  readonly server: number;
  readonly load: number;
}

/** Undefined where nothing can be pinned: a single core, or no `taskset` (Linux, util-linux). */
export async function chooseCores(): Promise<Cores | undefined> {
  const allowed = await allowedCores();
  const load = allowed.at(0);
  const server = allowed.at(-1);
  return load === undefined || server === undefined || load === server ? undefined : { server, load };
}

/** Keeps this process, its threads and what it starts from now on to one core. */
export async function pinThisProcess(core: number): Promise<void> {
  await run("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(process.pid)]);
}

/** The command line that runs a command on one core, under the process id that it is started with. */
export function pinned(core: number | undefined, command: readonly string[]): readonly string[] {
  return core === undefined ? command : ["taskset", "--cpu-list", String(core), ...command];
}

/** The cores that this process may use: a container often has only some of the machine's. */
async function allowedCores(): Promise<number[]> {
  try {
    await run("taskset", ["--version"]);
    const status = await readFile("/proc/self/status", "utf8");
    const [, list = ""] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status) ?? [];
    return list.split(",").flatMap(range);
  } catch {
    return [];
  }
}

/** `0-3` or `5`. */
function range(text: string): number[] {
  const [first = Number.NaN, last = first] = text.split("-").map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
