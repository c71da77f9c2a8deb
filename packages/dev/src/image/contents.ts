// `node packages/dev/src/image/contents.ts greeter /image`, in the build of an image: lays out in a directory what
// the image has beside Node.js.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../bootstrap.mjs";
import { bundleWorker } from "../bundle/bundle-worker.ts";
import { workerNamed } from "../workers/list.ts";
import { billOfMaterials } from "./sbom.ts";

try {
  const [asked, directory] = process.argv.slice(2);
  if (directory === undefined) throw new Error("Which directory? For example: contents.ts greeter /image");
  const name = workerNamed(asked);
  const bundle = join(root, "dist", name);
  const { metafile } = await bundleWorker(name, bundle);

  mkdirSync(directory, { recursive: true });
  // Source maps stay behind: nothing in the image reads them.
  cpSync(bundle, join(directory, "app"), { recursive: true, filter: (path) => !path.endsWith(".map") });
  writeFileSync(
    join(directory, "sbom.cdx.json"),
    `${JSON.stringify(billOfMaterials(`services/${name}`, metafile), null, 2)}\n`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
