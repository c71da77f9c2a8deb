import { existsSync, globSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../bootstrap.mjs";
import { CONSOLE_PAGE } from "./console.ts";

const FOLDER = join(root, "packages/console");
const SOURCES = ["src/**/*", "index.html", "package.json", "vite.config.ts"];

/** Builds the console's page where it is not there, or older than its sources. */
export async function buildConsolePage(): Promise<void> {
  const built = changedAt(join(CONSOLE_PAGE, "index.html"));
  const sources = globSync(SOURCES, { cwd: FOLDER }).map((path) => changedAt(join(FOLDER, path)));
  if (built > Math.max(...sources)) return;
  // Takes a moment to load, and is needed here alone.
  const { build } = await import("vite");
  const made = `${CONSOLE_PAGE}-${process.pid}`;
  await build({ root: FOLDER, logLevel: "warn", build: { outDir: made } });
  // Put in its place as a whole, as others may start at the same time; theirs is the same page.
  rmSync(CONSOLE_PAGE, { recursive: true, force: true });
  try {
    renameSync(made, CONSOLE_PAGE);
  } catch (error) {
    if (!existsSync(join(CONSOLE_PAGE, "index.html"))) throw error;
    rmSync(made, { recursive: true, force: true });
  }
}

/** Milliseconds since the epoch; 0: it is not there. */
function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
