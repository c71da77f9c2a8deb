// `npm run bundle -- greeter`: bundles workers into dist/<name>/main.js; without a name, all of them. What a
// worker imports with `import()` stays in files of its own, which are read when they are needed.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { root } from "../bootstrap.mjs";
import { entryOf, WORKERS, workerNamed } from "./workers/list.ts";

/** Packages in CommonJS call these; a module does not have them. */
const COMMON_JS = `import { createRequire as createRequireOfBundle } from "node:module";
const require = createRequireOfBundle(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`;

try {
  const asked = process.argv.slice(2);
  const workers = asked.length > 0 ? asked.map(workerNamed) : WORKERS;
  for (const { name } of workers) console.log(await bundle(name));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function bundle(name: string): Promise<string> {
  const directory = join(root, "dist", name);
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
    keepNames: true,
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "linked",
    banner: { js: COMMON_JS },
    metafile: true,
    logLevel: "warning",
  });
  writeFileSync(
    join(directory, "package.json"),
    `${JSON.stringify({ name, private: true, type: "module" })}\n`,
  );
  const { atStart, later } = sizesOf(metafile, `dist/${name}/main.js`);
  return `dist/${name}/main.js: ${kilobytes(atStart)} read at start, ${kilobytes(later)} when needed`;
}

/** The bytes that a start reads, and those that are read when they are needed. */
function sizesOf({ outputs }: Metafile, entry: string): { atStart: number; later: number } {
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
    atStart: sum(code.filter(([path]) => read.has(path))),
    later: sum(code.filter(([path]) => !read.has(path))),
  };
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}
