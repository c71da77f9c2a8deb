import { LOAD } from "./h2load.ts";
import { type Series, type SeriesOptions, takeTurns } from "./series.ts";
import { CALL_FIGURES, sampleCalls, startAll } from "./unary-calls.ts";

/** Unary calls as fast as they are answered: how many a second, and the CPU time of each. */
export async function measureThroughput(options: SeriesOptions, calls: number): Promise<Series> {
  await using running = new AsyncDisposableStack();
  const servers = await startAll(options, running);
  const samples = await takeTurns("throughput", options, servers, (server) =>
    sampleCalls(server, calls, options.directory),
  );
  return {
    name: "throughput",
    conditions:
      `Unary calls of a few bytes ${LOAD}; ${calls} a round, rounds in turns after one to warm up: ` +
      `${options.rounds}.`,
    figures: CALL_FIGURES,
    servers: Array.from(samples, ([{ contender }, rounds]) => ({ contender, rounds })),
  };
}
