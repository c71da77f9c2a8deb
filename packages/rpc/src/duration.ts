import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration such as `250ms`, `2s`, `1.5m`, `1h`; undefined where the text is none. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  if (!match?.[1] || !match[2]) return undefined;
  const ms = Number(match[1]) * (UNITS[match[2]] ?? Number.NaN);
  // To the nanosecond: 1.005s is 1005ms, not the 1004.9999999999999 that the product comes to.
  return Math.round(ms * 1_000_000) / 1_000_000;
}

/** A duration as people read it: `250ms`, `2s`, `1.5s`, `60s`. */
export function formatDurationMs(ms: number): string {
  const wholeMs = Math.ceil(ms);
  return wholeMs < 1_000 ? `${wholeMs}ms` : `${wholeMs / 1_000}s`;
}

export function durationMs(duration: Duration): number {
  return Number(duration.seconds) * 1_000 + duration.nanos / 1_000_000;
}

/** The protobuf duration of so many milliseconds, rounded up to the nanosecond. */
export function durationOfMs(ms: number): Duration {
  // By way of whole picoseconds, so that what a floating-point product is off by does not round up to a nanosecond.
  const nanos = Math.ceil(Math.round(ms * 1e9) / 1e3);
  const seconds = Math.floor(nanos / 1e9);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: nanos - seconds * 1e9 });
}
