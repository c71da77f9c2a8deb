import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Contender } from "./contenders.ts";
import { cpuTimeMs } from "./cpu-time.ts";
import { callsPerSecond, type Load } from "./h2load.ts";
import { REQUEST } from "./hello.ts";
import { type Series, type SeriesOptions, takeTurns } from "./series.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

/** Enough at a time that the server is never idle, on a few connections as a proxy or a few clients have them. */
const CONNECTIONS = 10;
const STREAMS_PER_CONNECTION = 10;

/** Unary calls as fast as they are answered: how many a second, and the CPU time of each. */
export async function measureThroughput(options: SeriesOptions, calls: number): Promise<Series> {
  const load: Load = { calls, connections: CONNECTIONS, streamsPerConnection: STREAMS_PER_CONNECTION };
  const requestFile = join(options.directory, "request.bin");
  await writeFile(requestFile, REQUEST);

  await using running = new AsyncDisposableStack();
  const servers = new Map<Contender, ServerProcess>();
  for (const contender of options.contenders) {
    const server = running.use(await startServer(contender, options.cores?.server));
    await server.answers();
    servers.set(contender, server);
  }
  const samples = await takeTurns("throughput", options, [...servers], async ([, server]) => {
    const before = cpuTimeMs(server.pid);
    const rate = await callsPerSecond(server, requestFile, load);
    const after = cpuTimeMs(server.pid);
    return {
      callsPerSecond: rate,
      cpuMicrosecondsPerCall:
        before === undefined || after === undefined ? undefined : ((after - before) * 1_000) / calls,
    };
  });
  return {
    name: "throughput",
    conditions:
      `Unary calls of a few bytes by h2load, ${calls} a round on ${CONNECTIONS} connections of ` +
      `${STREAMS_PER_CONNECTION} streams; rounds in turns after one to warm up: ${options.rounds}.`,
    figures: [
      { key: "callsPerSecond", title: "calls/s" },
      { key: "cpuMicrosecondsPerCall", title: "CPU µs/call" },
    ],
    servers: Array.from(samples, ([[contender], rounds]) => ({ contender, rounds })),
  };
}
