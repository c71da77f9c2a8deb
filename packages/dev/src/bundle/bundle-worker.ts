import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { root } from "../../bootstrap.mjs";
import { entryOf, portOf } from "../workers/list.ts";
import { namedExports } from "./named-exports.ts";

/** Packages in CommonJS call these; a module does not have them. */
const COMMON_JS = `import { createRequire as createRequireOfBundle } from "node:module";
const require = createRequireOfBundle(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`;

/** Optional packages, whose place is beside the `@grpc/grpc-js` that they extend: one within a bundle is another. */
const LEFT_OUT = ["@grpc/grpc-js-xds"];

const OPTIONS = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
} as const satisfies BuildOptions;

/** How much code a bundle has, and what it was made of. */
export interface Bundle {
  readonly metafile: Metafile;
  readonly bytesAtStart: number;
  /** What is read when it is first needed. */
  readonly bytesLater: number;
}

/**
 * Bundles a worker into a directory. Its `main.js` needs nothing but Node.js: alone it runs the worker, with
 * `health` it asks for the worker's health. What the worker imports with `import()` stays in files of its own,
 * which are read when they are needed.
 *
 * @param directory is emptied first
 */
export async function bundleWorker(name: string, directory: string): Promise<Bundle> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const worker = build({
    ...OPTIONS,
    stdin: { contents: commandsOf(name), resolveDir: root, sourcefile: "main.ts" },
    entryNames: "main",
    external: ["./health.js", ...LEFT_OUT],
    outdir: directory,
    chunkNames: "chunks/[name]-[hash]",
    splitting: true,
    plugins: [namedExports],
    banner: { js: COMMON_JS },
  });
  // A bundle of its own: what it shared with the worker would be in files that hold far more than it needs.
  const health = build({
    ...OPTIONS,
    entryPoints: { health: join(root, "packages/worker/src/health/command.ts") },
    outdir: directory,
  });
  const [{ metafile: ofWorker }, { metafile: ofHealth }] = await Promise.all([worker, health]);
  writeFileSync(
    join(directory, "package.json"),
    `${JSON.stringify({ name, private: true, type: "module" })}\n`,
  );
  const metafile = {
    inputs: { ...ofHealth.inputs, ...ofWorker.inputs },
    outputs: { ...ofHealth.outputs, ...ofWorker.outputs },
  };
  return { metafile, ...sizeOf(metafile, fromRoot(join(directory, "main.js")), fromRoot(entryOf(name))) };
}

/**
 * What a bundle starts with. It tells its commands apart before it reads anything else: a question about health
 * is put often, and beside a worker within the same narrow limits.
 */
function commandsOf(name: string): string {
  return `
const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  await import(${JSON.stringify(`./${fromRoot(entryOf(name))}`)});
} else if (command === "health") {
  const { runHealthCommand } = await import("./health.js");
  process.exitCode = await runHealthCommand(args, { port: ${portOf(name)}, env: process.env });
} else {
  console.error(\`There is no command \${JSON.stringify(command)}: expected none, which runs the worker, or health.\`);
  process.exitCode = 1;
}`;
}

function fromRoot(path: string): string {
  return relative(root, path).split(sep).join("/");
}

/** @param service the source file that runs the worker: what it needs is read at start, though by `import()` */
function sizeOf({ outputs }: Metafile, main: string, service: string) {
  const read = new Set<string>();
  const visit = (path: string) => {
    if (read.has(path)) return;
    read.add(path);
    for (const { kind, path: imported } of outputs[path]?.imports ?? []) {
      if (kind === "import-statement") visit(imported);
    }
  };
  visit(main);
  for (const [path, { entryPoint }] of Object.entries(outputs)) if (entryPoint === service) visit(path);
  const code = Object.entries(outputs).filter(([path]) => path.endsWith(".js"));
  const sum = (files: typeof code) => files.reduce((bytes, [, output]) => bytes + output.bytes, 0);
  return {
    bytesAtStart: sum(code.filter(([path]) => read.has(path))),
    bytesLater: sum(code.filter(([path]) => !read.has(path))),
  };
}
