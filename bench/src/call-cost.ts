import { LOAD } from "./h2load.ts";
import type { Sample, Series, SeriesOptions } from "./series.ts";
import { CALL_FIGURES, sampleCalls, startAll } from "./unary-calls.ts";

/** So short that whatever else the machine does falls on all servers of a round alike. */
const CALLS_A_TURN = 1_500;

/** In this many times the calls of a round, V8 has compiled what there is to compile. */
const WARM_UP = 2;

/**
 * What a unary call costs, where servers differ by little. No two processes of one program are equally fast, as
 * memory and compiled code come to lie differently: so each round measures fresh ones, which are warmed up first.
 *
 * @param name of the series
 */
export async function measureCallCost(name: string, options: SeriesOptions, calls: number): Promise<Series> {
  const rounds: Sample[][] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    options.report(`${name}: round ${round} of ${options.rounds}`);
    rounds.push(await measureFresh(options, calls));
  }
  return {
    name,
    conditions:
      `Unary calls of a few bytes ${LOAD}. Rounds: ${options.rounds}, each with fresh processes that are ` +
      `warmed up by ${WARM_UP * calls} calls and measured by ${calls}, in ${turnsOf(calls)} turns.`,
    figures: CALL_FIGURES,
    servers: options.contenders.map((contender, index) => ({
      contender,
      rounds: rounds.map((samples) => samples[index] ?? {}),
    })),
  };
}

/** One sample of each server, in their order. */
async function measureFresh(options: SeriesOptions, calls: number): Promise<Sample[]> {
  await using running = new AsyncDisposableStack();
  const servers = await startAll(options, running);
  for (const server of servers) await sampleCalls(server, WARM_UP * calls, options.directory);
  const taken = servers.map((): Sample[] => []);
  const turns = turnsOf(calls);
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [index, server] of servers.entries()) {
      taken[index]?.push(await sampleCalls(server, Math.ceil(calls / turns), options.directory));
    }
  }
  return taken.map(mean);
}

function turnsOf(calls: number): number {
  return Math.ceil(calls / CALLS_A_TURN);
}

function mean(samples: readonly Sample[]): Sample {
  const entries = CALL_FIGURES.map(({ key }) => {
    const values = samples.flatMap((sample) => sample[key] ?? []);
    const sum = values.reduce((total, value) => total + value, 0);
    return [key, values.length > 0 ? sum / values.length : undefined] as const;
  });
  return Object.fromEntries(entries);
}
