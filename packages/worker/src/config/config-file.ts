import { readFile, stat } from "node:fs/promises";

/** The most that a configuration file may have. A ConfigMap of Kubernetes holds no more either. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

/** The text of a configuration file. @throws Error with a sentence that names the file and what is wrong with it. */
export async function readConfigFile(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error("it is not a file");
    if (found.size > MAX_CONFIG_BYTES) {
      throw new Error(`it has ${found.size} bytes: expected at most ${MAX_CONFIG_BYTES}`);
    }
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}
