import { globSync, readFileSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import { root } from "../../bootstrap.mjs";

/** What the sources of each part may import of ours, besides themselves. Parts that are not here may all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "packages/console": ["proto"],
  "packages/rpc": ["proto"],
  "packages/worker": ["packages/rpc", "proto"],
  "packages/client": ["packages/rpc", "proto"],
  services: ["packages/console", "packages/worker", "packages/client", "packages/rpc", "proto"],
};

/** What else one folder imports of ours, each when it is needed and not before. */
const MAY_LOAD = [
  // A worker is a client of etcd where it is found by discovery; one that is not does without the client kit.
  { folder: "packages/worker/src/discovery/", specifier: "@gantry/client/etcd" },
];

/** The gRPC library, and the folders that know it. */
const GRPC_LIBRARY = "@grpc/grpc-js";
const TRANSPORTS = ["packages/worker/src/transport/", "packages/client/src/transport/"];

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/**
 * Checks the direction of imports: services -> worker, client -> rpc -> proto; nothing imports a service, and
 * the gRPC library is known to the transports alone. What a folder may only load, it imports by `import()`. Cycles are Biome's (noImportCycles).
 *
 * @param packages the folder of each of our packages, by name
 * @returns a sentence per violation
 */
export function findViolations(
  files: readonly SourceFile[],
  packages: ReadonlyMap<string, string>,
): string[] {
  return files.flatMap((file) =>
    importsOf(file.text).flatMap(({ specifier, line, atStart }) => {
      if (!atStart && mayLoad(file.path, specifier)) return [];
      const target = folderOf(file.path, specifier, packages);
      const complaint =
        target === undefined ? aboutLibrary(file.path, specifier) : aboutOurs(file.path, target);
      return complaint === undefined ? [] : [`${file.path}:${line} imports ${specifier}: ${complaint}`];
    }),
  );
}

/** Every source file of the repository. */
export function readSources(): SourceFile[] {
  const paths = globSync("{packages,services,bench,loadtest,observability,test}/**/*.{ts,tsx,mjs}", {
    cwd: root,
    exclude: (path) => path.endsWith("node_modules"),
  });
  return paths.map((path) => ({
    path: path.split(sep).join("/"),
    text: readFileSync(join(root, path), "utf8"),
  }));
}

/** The folder of each of our packages, by name. */
export function readPackages(): Map<string, string> {
  const manifests = globSync("{proto,bench,loadtest,observability,test,packages/*,services/*}/package.json", {
    cwd: root,
  });
  return new Map(
    manifests.map((path) => {
      const { name }: { name: string } = JSON.parse(readFileSync(join(root, path), "utf8"));
      return [name, dirname(path).split(sep).join("/")];
    }),
  );
}

function aboutLibrary(path: string, specifier: string): string | undefined {
  if (specifier !== GRPC_LIBRARY && !specifier.startsWith(`${GRPC_LIBRARY}/`)) return undefined;
  if (!isSource(path) || TRANSPORTS.some((folder) => path.startsWith(folder))) return undefined;
  return `only ${TRANSPORTS.join(" and ")} know the gRPC library.`;
}

function aboutOurs(path: string, target: string): string | undefined {
  const from = partOf(path);
  const to = partOf(target);
  if (from === to) return undefined;
  if (to.startsWith("services/")) return "nothing imports a service.";
  const allowed = MAY_IMPORT[from.startsWith("services/") ? "services" : from];
  if (allowed === undefined || !isSource(path) || allowed.includes(to)) return undefined;
  return `of ours, ${from} may import ${allowed.join(", ")}.`;
}

function mayLoad(path: string, specifier: string): boolean {
  return MAY_LOAD.some((each) => path.startsWith(each.folder) && specifier === each.specifier);
}

function isSource(path: string): boolean {
  return /^(packages|services)\/[^/]+\/src\//.test(path);
}

/** `packages/worker/src/call.ts` is part of `packages/worker`, `test/support/ports.ts` of `test`. */
function partOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "packages" || first === "services" ? `${first}/${second}` : first;
}

/** Where an import leads within the repository, or undefined where it leads out of it. */
function folderOf(
  path: string,
  specifier: string,
  packages: ReadonlyMap<string, string>,
): string | undefined {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(path), specifier);
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  return packages.get(name);
}

/** Reads formatted code: a statement begins its line, so that examples within comments are none. */
const STATEMENT = /^(?:import|export)\b(?:[^"'`;]*?\bfrom)?\s*(["'])(?<specifier>[^"']+)\1/gm;
const EXPRESSION = /\bimport\(\s*(["'])(?<specifier>[^"']+)\1/g;

interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Whether it is loaded with the file, and not when the file asks for it. */
  readonly atStart: boolean;
}

function importsOf(text: string): Import[] {
  const found = (pattern: RegExp, atStart: boolean) =>
    [...text.matchAll(pattern)].map((match) => ({
      specifier: match.groups?.specifier ?? "",
      line: text.slice(0, match.index).split("\n").length,
      atStart,
    }));
  return [...found(STATEMENT, true), ...found(EXPRESSION, false)];
}
