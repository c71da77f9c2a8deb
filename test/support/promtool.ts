import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { requireProgram } from "./programs.ts";
import { ROOT } from "./worker-process.ts";

export const needsPromtool = requireProgram("promtool", "apt-get install prometheus");

/** Runs promtool at the root of the repository. Throws with what it says where it has a complaint. */
export async function promtool(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("promtool", args, { cwd: ROOT });
  return stdout;
}
