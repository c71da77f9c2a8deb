import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { build, type Metafile } from "esbuild";
import { root } from "../../bootstrap.mjs";
import { entryOf } from "../workers/list.ts";
import { namedExports } from "./named-exports.ts";

/** Packages in CommonJS call these; a module does not have them. */
const COMMON_JS = `import { createRequire as createRequireOfBundle } from "node:module";
const require = createRequireOfBundle(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`;

/** Optional packages, whose place is beside the `@grpc/grpc-js` that they extend: one within a bundle is another. */
const LEFT_OUT = ["@grpc/grpc-js-xds"];

/** How much code a bundle has. */
export interface BundleSize {
  readonly bytesAtStart: number;
  /** What is read when it is first needed. */
  readonly bytesLater: number;
}

/**
 * Bundles a worker into a directory, whose `main.js` starts with nothing but Node.js. What the worker imports
 * with `import()` stays in files of its own, which are read when they are needed.
 *
 * @param directory is emptied first
 */
export async function bundleWorker(name: string, directory: string): Promise<BundleSize> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: entryOf(name) },
    outdir: directory,
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "linked",
    plugins: [namedExports],
    external: LEFT_OUT,
    banner: { js: COMMON_JS },
    metafile: true,
    logLevel: "warning",
  });
  writeFileSync(
    join(directory, "package.json"),
    `${JSON.stringify({ name, private: true, type: "module" })}\n`,
  );
  return sizeOf(metafile, relative(root, join(directory, "main.js")).split(sep).join("/"));
}

function sizeOf({ outputs }: Metafile, entry: string): BundleSize {
  const read = new Set<string>();
  const visit = (path: string) => {
    if (read.has(path)) return;
    read.add(path);
    for (const { kind, path: imported } of outputs[path]?.imports ?? []) {
      if (kind === "import-statement") visit(imported);
    }
  };
  visit(entry);
  const code = Object.entries(outputs).filter(([path]) => path.endsWith(".js"));
  const sum = (files: typeof code) => files.reduce((bytes, [, output]) => bytes + output.bytes, 0);
  return {
    bytesAtStart: sum(code.filter(([path]) => read.has(path))),
    bytesLater: sum(code.filter(([path]) => !read.has(path))),
  };
}
