/** Images and containers of a real Docker engine. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { docker, HARDENED } from "../../packages/dev/src/image/measure.ts";
import { requireProgram } from "./programs.ts";
import { ROOT } from "./worker-process.ts";

export { docker };

/**
 * For tests that build images: they need a Docker engine (the client alone does nothing), and the bases that the
 * Dockerfile names. Where these are not there and no registry can be reached, nothing can be built, in CI neither.
 */
export function requireDocker(): { skip: string | false } {
  const client = requireProgram("docker", "apt-get install docker.io");
  if (client.skip !== false) return client;
  if (!answers("version")) {
    const missing = "no Docker engine answers: bash test/support/docker-engine.sh start";
    if (process.env.CI === "true") throw new Error(missing);
    return { skip: missing };
  }
  const bases = [...readFileSync(join(ROOT, "Dockerfile"), "utf8").matchAll(/^ARG \w+_IMAGE=(\S+)$/gm)];
  const missing = bases.flatMap(([, base = ""]) =>
    answers("image", "inspect", base) || answers("pull", "--quiet", base) ? [] : base,
  );
  return missing.length === 0
    ? client
    : { skip: `${missing.join(" and ")} are not there, and cannot be pulled` };
}

function answers(...args: readonly string[]): boolean {
  try {
    execFileSync("docker", args, { stdio: "ignore", timeout: 180_000 });
    return true;
  } catch {
    return false;
  }
}

/** Builds with the host's network, for not every machine gives a build one of its own. Resolves with the output. */
export async function build(context: string, ...flags: readonly string[]): Promise<string> {
  return docker("build", "--network", "host", ...flags, context);
}

/** Builds the image of a service, and resolves with its name. */
export async function buildImage(service: string, ...flags: readonly string[]): Promise<string> {
  const image = `gantry-test/${service}`;
  await build(ROOT, "--build-arg", `SERVICE=${service}`, "--tag", image, ...flags);
  return image;
}

/** A container that runs. Disposing of it removes it. */
export interface Container extends AsyncDisposable {
  readonly id: string;
  /** Its address on this machine. */
  readonly host: string;
  /** Resolves with the first line of its log, printed or still to come, that holds this text. */
  logged(text: string): Promise<string>;
}

/** Runs an image with as few rights as there are. */
export async function runHardened(image: string, ...flags: readonly string[]): Promise<Container> {
  const id = await docker("run", "--detach", ...HARDENED, ...flags, image);
  return {
    id,
    host: await docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", id),
    logged: (text) => lineOf(["logs", "--follow", id], text),
    async [Symbol.asyncDispose]() {
      await docker("rm", "--force", id);
    },
  };
}

/** The first line that holds this text among those which Docker's client prints as they come. */
export async function lineOf(args: readonly string[], text: string): Promise<string> {
  const following = spawn("docker", args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(following, "close");
  const lines: string[] = [];
  try {
    for await (const line of createInterface(following.stdout)) {
      lines.push(line);
      if (line.includes(text)) return line;
    }
  } finally {
    following.kill();
    await closed;
  }
  throw new Error(`docker ${args.join(" ")} ended without a line with ${text}:\n${lines.join("\n")}`);
}

/** The path of every file in an image, without those of its base. */
export async function filesOf(image: string, base: string): Promise<string[]> {
  const [all, inherited] = await Promise.all([listing(image), listing(base)]);
  return all.filter((path) => !inherited.includes(path));
}

async function listing(image: string): Promise<string[]> {
  const container = await docker("create", image);
  try {
    const exporting = spawn("docker", ["export", container], { stdio: ["ignore", "pipe", "inherit"] });
    const list = spawn("tar", ["--list"], { stdio: [exporting.stdout, "pipe", "inherit"] });
    const paths: string[] = [];
    for await (const path of createInterface(list.stdout)) if (!path.endsWith("/")) paths.push(path);
    return paths;
  } finally {
    await docker("rm", "--force", container);
  }
}
