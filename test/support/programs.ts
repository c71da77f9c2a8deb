import { createHash } from "node:crypto";
import { accessSync, constants, globSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";

/**
 * For tests that need a program of the system: skips them by name where it is not on the PATH.
 * With `CI=true` that is an error instead, so that nothing goes untested unseen.
 *
 * ```ts
 * test("Prometheus reads it", requireProgram("prometheus", "apt-get install prometheus"), async () => …);
 * ```
 *
 * @param name looked up on the PATH, unless it is a path itself
 * @param hint how to get the program
 */
export function requireProgram(name: string, hint: string): { skip: string | false } {
  if (isThere(name)) return { skip: false };
  const missing = `${name} is not there: ${hint}`;
  if (process.env.CI === "true") throw new Error(missing);
  return { skip: missing };
}

/** The same, but with `CI=true` too the test is only skipped: for programs that Debian does not have. */
export function optionalProgram(name: string, hint: string): { skip: string | false } {
  return { skip: isThere(name) ? false : `${name} is not there: ${hint}` };
}

/**
 * Where test/support/ci-tools.sh builds a program from the Go module of this name in `test/`. The name in the user's
 * cache changes with the module.
 */
export function builtProgram(name: string): string {
  const hash = createHash("sha256");
  const module = join(import.meta.dirname, "..", name);
  for (const file of ["go.mod", "go.sum", ...globSync("*.go", { cwd: module }).sort()]) {
    hash.update(readFileSync(join(module, file)));
  }
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return join(cache, "gantry", `${name}-${hash.digest("hex").slice(0, 16)}`);
}

/** Whether a program is on the PATH, or at its own path. */
export function isThere(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(resolve(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
