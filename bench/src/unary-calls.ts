import { callsPerSecond } from "./h2load.ts";
import type { Figure, Sample, SeriesOptions } from "./series.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

/** What is measured of unary calls. */
export const CALL_FIGURES: readonly Figure[] = [
  { key: "callsPerSecond", title: "calls/s" },
  { key: "cpuMicrosecondsPerCall", title: "CPU µs/call" },
];

/** Starts all servers, which end with `running`, and waits until each has answered. */
export async function startAll(
  { contenders, cores }: SeriesOptions,
  running: AsyncDisposableStack,
): Promise<ServerProcess[]> {
  const servers: ServerProcess[] = [];
  for (const contender of contenders) {
    const server = running.use(await startServer(contender, cores?.server));
    await server.answers();
    servers.push(server);
  }
  return servers;
}

/** Makes these calls as fast as they are answered. @returns the figures of `CALL_FIGURES` */
export async function sampleCalls(server: ServerProcess, calls: number, directory: string): Promise<Sample> {
  const before = server.cpuTimeMs();
  const rate = await callsPerSecond(server, calls, directory);
  const after = server.cpuTimeMs();
  return {
    callsPerSecond: rate,
    cpuMicrosecondsPerCall:
      before === undefined || after === undefined ? undefined : ((after - before) * 1_000) / calls,
  };
}
