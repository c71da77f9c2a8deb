import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { HELLO } from "./hello.ts";
import type { ServerProcess } from "./server-process.ts";

const run = promisify(execFile);

/** Enough at a time that the server is never idle, on a few connections as a proxy or a few clients have them. */
const CONNECTIONS = 10;
const STREAMS_PER_CONNECTION = 10;

/** For who reads the figures. */
export const LOAD = `by h2load: gRPC on ${CONNECTIONS} connections of ${STREAMS_PER_CONNECTION} streams, REST on ${CONNECTIONS * STREAMS_PER_CONNECTION} of HTTP/1.1`;

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
 * @param directory for the file that h2load reads a request's body from
 * @throws Error where not every one of them was answered as it should be
 */
export async function callsPerSecond(
  { contender, port }: ServerProcess,
  calls: number,
  directory: string,
): Promise<number> {
  const { name, calledBy = "grpc" } = contender;
  const { path, headers, request, reply } = HELLO[calledBy];
  // No client has several requests of HTTP/1.1 under way on one connection.
  const [connections, streams] =
    calledBy === "grpc" ? [CONNECTIONS, STREAMS_PER_CONNECTION] : [CONNECTIONS * STREAMS_PER_CONNECTION, 1];
  const body = join(directory, `request-${calledBy}`);
  if (request) await writeFile(body, request);
  const { stdout } = await run("h2load", [
    `--requests=${calls}`,
    `--clients=${Math.min(connections, calls)}`,
    `--max-concurrent-streams=${streams}`,
    "--threads=1",
    ...(calledBy === "rest" ? ["--h1"] : []),
    ...Object.entries({ ...headers, ...contender.headers }).map(
      ([key, value]) => `--header=${key}: ${value}`,
    ),
    ...(request ? [`--data=${body}`] : []),
    `http://127.0.0.1:${port}${path}`,
  ]);
  const [, rate] = /^finished in \S+, (\S+) req\/s/m.exec(stdout) ?? [];
  const [, succeeded] = /^requests: .* (\d+) succeeded/m.exec(stdout) ?? [];
  const [, dataBytes] = /^traffic: .* headers .*\((\d+)\) data$/m.exec(stdout) ?? [];
  // HTTP's status is 200 whatever gRPC's is, but a call that failed has no message in its reply.
  if (Number(succeeded) !== calls || Number(dataBytes) !== calls * reply.byteLength) {
    throw new Error(
      `h2load made ${calls} calls of the server "${name}": expected as many replies of ${reply.byteLength} bytes, found:\n${stdout}`,
    );
  }
  return Number(rate);
}
