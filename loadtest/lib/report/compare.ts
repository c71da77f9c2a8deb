import type { Part, Result } from "./result.ts";
import { columns, milliseconds, percent, rate } from "./words.ts";

/** What two runs have in common, side by side. */
export interface Comparison {
  readonly text: string;
  /** What is worse in the second, in sentences. */
  readonly worse: readonly string[];
}

/** A difference of less is what two runs of the same thing have. */
const FEWER_CALLS = 0.9;
const SLOWER = 1.25;
const SLOWER_BY_MS = 1;
const MORE_FAILURES = 0.001;

export function compare(before: Result, after: Result): Comparison {
  const rows = [
    { name: "all", a: before.total, b: after.total },
    ...before.methods.flatMap((a) => {
      const b = after.methods.find(({ method }) => method === a.method);
      return b ? [{ name: a.method, a, b }] : [];
    }),
  ];
  const worse = [
    ...(after.total.callsPerSecond < before.total.callsPerSecond * FEWER_CALLS
      ? [
          `Fewer calls: ${rate(after.total.callsPerSecond)} a second, where it was ${rate(before.total.callsPerSecond)}.`,
        ]
      : []),
    ...rows.flatMap(({ name, a, b }) => worseParts(name, a, b)),
  ];
  const names = ["", "failed", "→", "median", "→", "p95", "→", "p99", "→", "p95 changed"];
  const table = columns([
    names,
    ...rows.map(({ name, a, b }) => [
      name,
      percent(a.failedRatio),
      percent(b.failedRatio),
      ...[a.latency.median, b.latency.median].map(milliseconds),
      ...[a.latency.p95, b.latency.p95].map(milliseconds),
      ...[a.latency.p99, b.latency.p99].map(milliseconds),
      change(a.latency.p95, b.latency.p95),
    ]),
  ]);
  const lines = [
    `${titleOf(before)} → ${titleOf(after)}`,
    `${rate(before.total.callsPerSecond)} → ${rate(after.total.callsPerSecond)} calls a second ` +
      `(${change(before.total.callsPerSecond, after.total.callsPerSecond)})`,
    "",
    ...table,
    "",
    ...(worse.length > 0 ? worse : ["Nothing is worse."]),
  ];
  return { text: lines.join("\n"), worse };
}

function worseParts(name: string, a: Part, b: Part): string[] {
  const found: string[] = [];
  if (b.failedRatio > a.failedRatio + MORE_FAILURES) {
    found.push(`${name}: ${percent(b.failedRatio)} fail, where it was ${percent(a.failedRatio)}.`);
  }
  const [was, is] = [a.latency.p95, b.latency.p95];
  if (is > was * SLOWER && is > was + SLOWER_BY_MS) {
    found.push(`${name}: the 95th percentile is ${milliseconds(is)}, where it was ${milliseconds(was)}.`);
  }
  return found;
}

function titleOf({ scenario, target, endedAt }: Result): string {
  return `${scenario} by ${target} at ${endedAt}`;
}

function change(before: number, after: number): string {
  if (before === 0) return "–";
  const percentage = (after / before - 1) * 100;
  return `${percentage >= 0 ? "+" : "−"}${Math.abs(percentage).toFixed(0)} %`;
}
