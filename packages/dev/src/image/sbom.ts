/**
 * The bill of materials of a bundle, by what esbuild says that it put into it: packages of which nothing is left
 * after tree shaking are not in it, and neither is what only builds and tests need.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { root } from "../../bootstrap.mjs";

/** A package, or a folder of this repository. */
interface Component {
  readonly type: "application" | "library";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly licenses?: readonly [{ readonly expression: string }];
  /** What npm verified when it was installed. */
  readonly hashes?: readonly [{ readonly alg: string; readonly content: string }];
  readonly purl?: string;
}

/** Source: https://cyclonedx.org/docs/1.6/json/ */
export interface Bom {
  readonly $schema: string;
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly version: number;
  readonly metadata: {
    readonly lifecycles: readonly [{ readonly phase: "build" }];
    readonly component: Component;
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * The same bundle has the same bill: it names no time and no number that is made up.
 *
 * @param service the folder of the service: `services/greeter`
 */
export function billOfMaterials(service: string, { inputs, outputs }: Metafile): Bom {
  const folders = new Set<string>([service]);
  for (const { inputs: contents } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(contents)) {
      const folder = folderOf(path);
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
    }
  }
  const needs = new Map([...folders].sort().map((folder) => [folder, new Set<string>()]));
  for (const [path, { imports }] of Object.entries(inputs)) {
    const from = folderOf(path);
    for (const imported of imports) {
      const to = folderOf(imported.path);
      if (from && to && from !== to && folders.has(to)) needs.get(from)?.add(to);
    }
  }
  const integrities = readIntegrities();
  const componentOf = (folder: string) => describe(folder, integrities.get(folder));
  const refOf = (folder: string) => componentOf(folder)["bom-ref"];
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      lifecycles: [{ phase: "build" }],
      component: { ...componentOf(service), type: "application" },
    },
    components: [...needs.keys()].filter((folder) => folder !== service).map(componentOf),
    dependencies: [...needs].map(([folder, others]) => ({
      ref: refOf(folder),
      dependsOn: [...others].sort().map(refOf),
    })),
  };
}

/**
 * The folder of the package, or of our part, that a source file belongs to: `node_modules/@grpc/grpc-js`,
 * `packages/worker`. Undefined for what the bundler has made itself, and for Node.js's own modules.
 */
function folderOf(path: string): string | undefined {
  const fromRoot = path.slice(path.indexOf(":") + 1).replace(`${root}/`, "");
  const inPackage = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(fromRoot);
  return inPackage?.[0] ?? /^(?:proto|(?:packages|services)\/[^/]+)(?=\/)/.exec(fromRoot)?.[0];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

function describe(folder: string, integrity: string | undefined): Component {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  const { name, version, license } = manifest;
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const [algorithm, digest] = integrity?.split("-", 2) ?? [];
  return {
    type: "library",
    "bom-ref": folder,
    name,
    version,
    ...(license && { licenses: [{ expression: license }] }),
    ...(algorithm === "sha512" &&
      digest && { hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }] }),
    // Ours are in no registry: under their names there, others might publish.
    ...(folder.includes("node_modules/") && { purl }),
  };
}

/** The lock file's hash of each package, by its folder. */
function readIntegrities(): Map<string, string> {
  const lock: { packages: Record<string, { integrity?: string }> } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  );
  return new Map(
    Object.entries(lock.packages).flatMap(([folder, { integrity }]) =>
      integrity ? [[folder, integrity]] : [],
    ),
  );
}
