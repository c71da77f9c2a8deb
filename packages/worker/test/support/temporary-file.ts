import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file of its own, in a directory that goes with it. */
export interface TemporaryFile extends AsyncDisposable {
  readonly path: string;
  readonly directory: string;
  /** Replaces the file at once: nobody ever reads a half of it. */
  replace(content: string): Promise<void>;
}

export async function temporaryFile(name: string, content: string): Promise<TemporaryFile> {
  const directory = await mkdtemp(join(tmpdir(), "gantry-"));
  const path = join(directory, name);
  await writeFile(path, content);
  return {
    path,
    directory,
    async replace(changed) {
      await writeFile(`${path}.new`, changed);
      await rename(`${path}.new`, path);
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
