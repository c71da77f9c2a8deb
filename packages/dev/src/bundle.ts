// `npm run bundle -- greeter`: bundles workers into dist/<name>/main.js; without a name, all of them.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { root } from "../bootstrap.mjs";
import { bundleWorker } from "./bundle/bundle-worker.ts";
import { CONSOLE_PAGE } from "./workers/console.ts";
import { buildConsolePage } from "./workers/console-page.ts";
import { WORKERS, workerNamed } from "./workers/list.ts";

try {
  const asked = process.argv.slice(2);
  const workers = asked.length > 0 ? asked.map(workerNamed) : WORKERS.map(({ name }) => name);
  for (const name of workers) {
    const directory = join(root, "dist", name);
    const { bytesAtStart, bytesLater } = await bundleWorker(name, directory);
    if (name === "gateway") await addConsolePage(directory);
    const sizes = `${kilobytes(bytesAtStart)} read at start, ${kilobytes(bytesLater)} when needed`;
    console.log(`dist/${name}/main.js: ${sizes}`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** Where the gateway looks for it, in case a setting turns the console on. */
async function addConsolePage(directory: string): Promise<void> {
  await buildConsolePage();
  cpSync(CONSOLE_PAGE, join(directory, "console"), { recursive: true });
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}
