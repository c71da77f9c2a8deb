import type { Contender } from "./contenders.ts";
import type { Cores } from "./cores.ts";

/** One kind of number that is measured of every server. */
export interface Figure {
  /** Its key in a round's sample. */
  readonly key: string;
  /** The head of its column, with the unit. */
  readonly title: string;
}

/** What one round has measured of one server, by the figures' keys; undefined: it cannot be measured here. */
export type Sample = Readonly<Record<string, number | undefined>>;

/** What all rounds have measured of one server. */
export interface ServerSamples {
  readonly contender: Contender;
  readonly rounds: readonly Sample[];
}

/** One part of the bench: the same figures of all servers, measured in turns. */
export interface Series {
  readonly name: string;
  /** How it was measured. */
  readonly conditions: string;
  readonly figures: readonly Figure[];
  readonly servers: readonly ServerSamples[];
}

/** What every part of the bench is given. */
export interface SeriesOptions {
  /** The first one is the reference. */
  readonly contenders: readonly Contender[];
  /** Undefined: nothing is pinned. */
  readonly cores: Cores | undefined;
  /** A directory for temporary files. */
  readonly directory: string;
  /** Rounds that count; one to warm up comes before them. */
  readonly rounds: number;
  /** Told of each round that begins. */
  readonly report: (line: string) => void;
}

/**
 * Measures one server after the other, round by round, so that whatever else the machine does in the
 * meantime falls on all of them. The first round warms up and does not count.
 */
export async function takeTurns<T>(
  name: string,
  { rounds, report }: SeriesOptions,
  turns: readonly T[],
  measure: (turn: T) => Promise<Sample>,
): Promise<Map<T, readonly Sample[]>> {
  const samples = new Map(turns.map((turn): [T, Sample[]] => [turn, []]));
  for (let round = 0; round <= rounds; round += 1) {
    report(round === 0 ? `${name}: warming up` : `${name}: round ${round} of ${rounds}`);
    for (const [turn, taken] of samples) {
      const sample = await measure(turn);
      if (round > 0) taken.push(sample);
    }
  }
  return samples;
}
