// `npm run image -- greeter`: builds the image of a worker with Docker and says what it costs. All other arguments
// go to `docker build` as they are: `npm run image -- greeter --network host --no-cache`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../bootstrap.mjs";
import { capture, git, runHere } from "./checks/tools.ts";
import { measureImage } from "./image/measure.ts";
import { WORKERS, workerNamed } from "./workers/list.ts";

try {
  const [asked, ...flags] = process.argv.slice(2);
  const name = workerNamed(asked);
  const image = `gantry/${name}:${versionOf(name)}`;
  const labels = Object.entries(await labelsOf(name)).flatMap(([key, value]) => [
    "--build-arg",
    `${key}=${value}`,
  ]);
  const build = ["build", "--build-arg", `SERVICE=${name}`, ...labels, "--tag", image, ...flags, root];
  process.exitCode = await runHere({ command: "docker", args: build });
  if (process.exitCode === 0) {
    const { bytes, bytesWithoutNode, coldStartMs } = await measureImage(image);
    console.log(`
${image}: ${megabytes(bytes)}, without Node.js's executable ${megabytes(bytesWithoutNode)}
Serves ${coldStartMs} ms after its process has started (read-only, without capabilities, in 128 MiB)

  docker run --read-only --cap-drop ALL --security-opt no-new-privileges --memory 128m --publish-all ${image}`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function versionOf(name: string): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(join(root, "services", name, "package.json"), "utf8"),
  );
  return manifest.version;
}

/** What the image says of itself. None of it changes a layer. */
async function labelsOf(name: string): Promise<Record<string, string>> {
  const worker = WORKERS.find((each) => each.name === name);
  const revision = await gitSays("rev-parse", "HEAD");
  const changed = await gitSays("status", "--porcelain");
  const committedAt = await gitSays("log", "-1", "--format=%cI");
  return {
    VERSION: versionOf(name),
    ...(worker && { PORTS: `${worker.port} ${worker.adminPort}` }),
    ...(revision && { REVISION: changed ? `${revision}-changed` : revision }),
    ...(committedAt && { CREATED: committedAt }),
  };
}

/** Undefined where this is no clone. */
async function gitSays(...args: string[]): Promise<string | undefined> {
  const { exitCode, output } = await capture(git(...args));
  return exitCode === 0 ? output : undefined;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
