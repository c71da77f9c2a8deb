/** Certificates of tests: an authority of their own, what it signs, and files of it. */
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export {
  type Authority,
  createAuthority,
  type KeyPair,
} from "../../packages/dev/src/certificates/authority.ts";

/** Files in a directory that goes with them. */
export interface CertificateFiles extends AsyncDisposable {
  readonly directory: string;
  /** The path of a file of this name, whether or not it is there. */
  path(name: string): string;
  /** Replaces a file at once: nobody ever reads a half of it. */
  write(name: string, content: string): Promise<string>;
}

export async function certificateFiles(
  contents: Readonly<Record<string, string>> = {},
): Promise<CertificateFiles> {
  const directory = await mkdtemp(join(tmpdir(), "gantry-certificates-"));
  const path = (name: string) => join(directory, name);
  const write = async (name: string, content: string) => {
    await writeFile(path(`${name}.new`), content, { mode: 0o600 });
    await rename(path(`${name}.new`), path(name));
    return path(name);
  };
  for (const [name, content] of Object.entries(contents)) await write(name, content);
  return {
    directory,
    path,
    write,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Files as Kubernetes mounts them: links to a directory of a name of its own, by way of the link `..data`. */
export interface MountedSecret extends AsyncDisposable {
  path(name: string): string;
  /** Changes all files at once, by swapping the link. */
  swap(contents: Readonly<Record<string, string>>): Promise<void>;
}

export async function mountedSecret(contents: Readonly<Record<string, string>>): Promise<MountedSecret> {
  const directory = await mkdtemp(join(tmpdir(), "gantry-secret-"));
  let versions = 0;
  const swap = async (changed: Readonly<Record<string, string>>) => {
    versions += 1;
    const version = `..version_${versions}`;
    await mkdir(join(directory, version));
    for (const [name, content] of Object.entries(changed)) {
      await writeFile(join(directory, version, name), content, { mode: 0o600 });
    }
    await symlink(version, join(directory, "..data_tmp"));
    await rename(join(directory, "..data_tmp"), join(directory, "..data"));
    await rm(join(directory, `..version_${versions - 1}`), { recursive: true, force: true });
  };
  await swap(contents);
  for (const name of Object.keys(contents)) await symlink(`..data/${name}`, join(directory, name));
  return {
    path: (name) => join(directory, name),
    swap,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
