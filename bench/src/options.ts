import { join } from "node:path";
import { parseArgs } from "node:util";

/** The parts of the bench, in the order in which they run. */
export const PARTS = ["throughput", "cold-start", "cost", "rest", "shared-port"] as const;

export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  readonly parts: readonly Part[];
  /** Rounds that count. Undefined: what suits each part. */
  readonly rounds: number | undefined;
  /** Calls that one round makes of each server, but for cold-start. */
  readonly calls: number;
  /** The directory that results are written to. */
  readonly results: string;
}

export const USAGE = `npm run bench -- [${PARTS.join(" | ")}] [--rounds <number>] [--calls <number>] [--results <directory>]

  Without a part, all of them.
  --rounds   how often each server is measured. Default: 15 for cold-start, 10 for the others.
  --calls    how many calls a round makes of each server, but for cold-start. Default: 30000.
  --results  where the figures are written as JSON. Default: bench/results.`;

const ANY_PART = new Intl.ListFormat("en", { type: "disjunction" });

/** @throws Error naming what is wrong */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: "string" },
      calls: { type: "string", default: "30000" },
      results: { type: "string", default: join(import.meta.dirname, "../results") },
    },
  });
  const named = positionals.map((name) => {
    const part = PARTS.find((one) => one === name);
    if (part === undefined) {
      throw new Error(`The bench has no part ${JSON.stringify(name)}: expected ${ANY_PART.format(PARTS)}.`);
    }
    return part;
  });
  return {
    parts: named.length > 0 ? named : PARTS,
    rounds: values.rounds === undefined ? undefined : positive("--rounds", values.rounds),
    calls: positive("--calls", values.calls),
    results: values.results,
  };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new Error(`${name} is ${JSON.stringify(text)}: expected a whole number from 1.`);
  }
  return number;
}
