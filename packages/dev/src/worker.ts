// `npm run worker -- greeter`: one worker, as its own main.ts runs it.
import { pathToFileURL } from "node:url";
import { entryOf, workerNamed } from "./workers/list.ts";

try {
  const name = workerNamed(process.argv[2]);
  // run.mjs has gone: so does the worker, as if asked to.
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  await import(pathToFileURL(entryOf(name)).href);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
