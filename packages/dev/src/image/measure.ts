import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How an image is run where it has the least rights that it works with. */
export const HARDENED: readonly string[] = [
  ...["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "nonroot"],
  ...["--memory", "128m", "--memory-swap", "128m"],
];

/** What an image costs. */
export interface ImageFigures {
  readonly bytes: number;
  readonly bytesWithoutNode: number;
  /** From the start of the container's process until it serves; the median of several containers. */
  readonly coldStartMs: number;
}

const STARTS = 5;

/** Runs containers of the image, hardened as above, one after another. */
export async function measureImage(image: string): Promise<ImageFigures> {
  const bytes = Number(await docker("image", "inspect", "--format", "{{.Size}}", image));
  const sizeOfNode = "fs.statSync(process.execPath).size";
  const nodeBytes = Number(await docker("run", "--rm", ...HARDENED, image, "--print", sizeOfNode));
  const startsMs: number[] = [];
  while (startsMs.length < STARTS) startsMs.push(await timeStart(image));
  startsMs.sort((one, other) => one - other);
  return {
    bytes,
    bytesWithoutNode: bytes - nodeBytes,
    coldStartMs: startsMs[Math.floor(STARTS / 2)] ?? Number.NaN,
  };
}

async function timeStart(image: string): Promise<number> {
  const container = await docker("run", "--detach", ...HARDENED, image);
  try {
    const startedAt = await docker("inspect", "--format", "{{.State.StartedAt}}", container);
    const serving = await firstLogLine(container);
    return Date.parse(serving.time) - Date.parse(startedAt);
  } finally {
    await docker("rm", "--force", container);
  }
}

/** A worker's first line of log says that it serves. */
async function firstLogLine(container: string): Promise<{ time: string }> {
  const following = execFile("docker", ["logs", "--follow", container]);
  try {
    for await (const line of following.stdout?.setEncoding("utf8") ?? [])
      return JSON.parse(line.split("\n", 1)[0]);
    throw new Error(`The container ended before it served: ${await docker("logs", container)}`);
  } finally {
    following.kill();
  }
}

/** Runs Docker's client and resolves with what it printed. @throws Error with what it complained of */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run("docker", args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}
