import { type Series, type SeriesOptions, takeTurns } from "./series.ts";
import { startServer } from "./server-process.ts";

/** From the start of a server's process to its first call answered. */
export async function measureColdStart(options: SeriesOptions): Promise<Series> {
  const { contenders, cores, rounds } = options;
  const samples = await takeTurns("cold start", options, contenders, async (contender) => {
    await using server = await startServer(contender, cores?.server);
    await server.answers();
    return {
      millisecondsToFirstReply: performance.now() - server.startedAtMs,
      cpuMilliseconds: server.cpuTimeMs(),
    };
  });
  return {
    name: "cold start",
    conditions:
      "From the start of the process to the first call answered, by a client that tries to connect every " +
      `millisecond; rounds in turns after one to warm up: ${rounds}. CPU time in steps of 10 ms.`,
    figures: [
      { key: "millisecondsToFirstReply", title: "ms to first reply" },
      { key: "cpuMilliseconds", title: "CPU ms" },
    ],
    servers: Array.from(samples, ([contender, taken]) => ({ contender, rounds: taken })),
  };
}
