import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "./worker-process.ts";

/** A copy of this repository, as far as a service needs it, for a test to change. */
export interface Workspace extends AsyncDisposable {
  readonly root: string;
}

const COPIED = [
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "buf.yaml",
  "buf.gen.yaml",
  "proto",
  "packages/rpc/package.json",
  "packages/rpc/src",
  "packages/client/package.json",
  "packages/client/src",
  "packages/worker/package.json",
  "packages/worker/src",
  "packages/dev/package.json",
  "packages/dev/generate.mjs",
  "packages/dev/protoc-gen-comments.mjs",
];

/** Our packages that are copied: the copies see each other, and no original. */
const OURS = { proto: "proto", rpc: "packages/rpc", client: "packages/client", worker: "packages/worker" };

/** @param files what is there besides, by path */
export async function workspaceWith(files: Readonly<Record<string, string>>): Promise<Workspace> {
  const root = await mkdtemp(join(tmpdir(), "gantry-workspace-"));
  const generated = join(ROOT, "proto/gen");
  for (const path of COPIED) {
    await cp(join(ROOT, path), join(root, path), {
      recursive: true,
      filter: (from) => from !== generated && !from.includes("/.generate-"),
    });
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  const modules = join(root, "node_modules");
  await mkdir(join(modules, "@gantry"), { recursive: true });
  for (const name of await readdir(join(ROOT, "node_modules"))) {
    if (name !== "@gantry") await symlink(join(ROOT, "node_modules", name), join(modules, name));
  }
  for (const [name, path] of Object.entries(OURS)) {
    await symlink(join(root, path), join(modules, "@gantry", name));
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}
