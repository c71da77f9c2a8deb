import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { HEADERS, PATH, REPLY } from "./hello.ts";
import type { ServerProcess } from "./server-process.ts";

const run = promisify(execFile);

/** How calls are made: so many connections, each with so many calls at a time. */
export interface Load {
  readonly calls: number;
  readonly connections: number;
  readonly streamsPerConnection: number;
}

/** @throws Error that says how to get it */
export async function requireH2load(): Promise<void> {
  try {
    await run("h2load", ["--version"]);
  } catch {
    throw new Error(
      "The bench makes its calls with h2load, which is not on the PATH: apt-get install nghttp2-client",
    );
  }
}

/**
 * Makes all of the calls and gives back how many were answered a second.
 *
 * @param requestFile holds the body of each call
 * @throws Error where not every one of them was answered as it should be
 */
export async function callsPerSecond(
  { name, port }: ServerProcess,
  requestFile: string,
  load: Load,
): Promise<number> {
  const { calls, connections, streamsPerConnection } = load;
  const { stdout } = await run("h2load", [
    `--requests=${calls}`,
    `--clients=${Math.min(connections, calls)}`,
    `--max-concurrent-streams=${streamsPerConnection}`,
    "--threads=1",
    ...Object.entries(HEADERS).map(([name, value]) => `--header=${name}: ${value}`),
    `--data=${requestFile}`,
    `http://127.0.0.1:${port}${PATH}`,
  ]);
  const [, rate] = /^finished in \S+, (\S+) req\/s/m.exec(stdout) ?? [];
  const [, succeeded] = /^requests: .* (\d+) succeeded/m.exec(stdout) ?? [];
  const [, dataBytes] = /^traffic: .* headers .*\((\d+)\) data$/m.exec(stdout) ?? [];
  // HTTP's status is 200 whatever gRPC's is, but a call that failed has no message in its reply.
  if (Number(succeeded) !== calls || Number(dataBytes) !== calls * REPLY.byteLength) {
    throw new Error(
      `h2load made ${calls} calls of the server "${name}": expected as many replies of ${REPLY.byteLength} bytes, found:\n${stdout}`,
    );
  }
  return Number(rate);
}
