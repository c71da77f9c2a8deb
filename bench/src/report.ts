import { cpus, release, totalmem, type } from "node:os";
import type { Cores } from "./cores.ts";
import type { Figure, Sample, Series, ServerSamples } from "./series.ts";
import { type Summary, summarize } from "./statistics.ts";

/** What the bench writes as JSON. */
export interface Report {
  /** ISO 8601. */
  readonly takenAt: string;
  readonly machine: Machine;
  readonly series: readonly SeriesReport[];
}

/** Where it was measured: of two machines only the ratios can be compared. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** The core of the servers and that of everything else; null: nothing was pinned. */
  readonly pinned: Cores | null;
}

export interface SeriesReport {
  readonly name: string;
  readonly conditions: string;
  readonly figures: readonly Figure[];
  readonly servers: readonly ServerReport[];
}

export interface ServerReport {
  readonly name: string;
  readonly description: string;
  /** By the figures' keys; what could not be measured is not there. */
  readonly figures: Readonly<Record<string, FigureReport>>;
  readonly rounds: readonly Sample[];
}

export interface FigureReport extends Summary {
  /** The ratios to the first server of the series, within each round. */
  readonly ratio: Summary | undefined;
}

export function describeMachine(cores: Cores | undefined): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown processor",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    pinned: cores ?? null,
  };
}

export function reportOf({ name, conditions, figures, servers }: Series): SeriesReport {
  const [reference] = servers;
  return {
    name,
    conditions,
    figures,
    servers: servers.map((server) => ({
      name: server.contender.name,
      description: server.contender.description,
      figures: Object.fromEntries(
        figures.flatMap(({ key }) => {
          const figure = figureOf(key, server, reference);
          return figure ? [[key, figure]] : [];
        }),
      ),
      rounds: server.rounds,
    })),
  };
}

function figureOf(
  key: string,
  { rounds }: ServerSamples,
  reference: ServerSamples | undefined,
): FigureReport | undefined {
  const summary = summarize(rounds.flatMap((sample) => sample[key] ?? []));
  const ratios = rounds.flatMap((sample, round) => {
    const value = sample[key];
    const referenceValue = reference?.rounds[round]?.[key];
    return value === undefined || !referenceValue ? [] : value / referenceValue;
  });
  return summary && { ...summary, ratio: summarize(ratios) };
}
