import { accessSync, constants } from "node:fs";
import { delimiter, resolve } from "node:path";

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

function isThere(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(resolve(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
