import type { Part, Result } from "./result.ts";
import { columns, milliseconds, percent, rate, whole } from "./words.ts";

/** A run, for a terminal. */
export function textOf(result: Result): string {
  const { total, statuses, methods, thresholds, checks, findings, figures } = result;
  const broken = [...checks, ...thresholds].filter(({ ok }) => !ok);
  const lines = [
    `${result.scenario} by ${result.target}: ${result.ok ? "passed" : "FAILED"} in ${milliseconds(result.durationMs)}`,
    "",
    `  ${whole(total.calls)} calls, ${rate(total.callsPerSecond)} a second; ${percent(total.failedRatio)} failed, ` +
      `${whole(total.quotaRefused)} refused by quota, ${whole(total.moved)} moved, ${whole(total.dropped)} not made in time`,
    `  statuses: ${Object.entries(statuses)
      .map(([name, count]) => `${name} ${whole(count)}`)
      .join(", ")}`,
    ...Object.entries(figures).map(([name, value]) => `  ${name}: ${whole(value)}`),
    "",
    ...columns([
      ["method", "calls", "failed", "median", "p95", "p99", "max"],
      ...methods.map(({ method, ...part }) => cells(method, part)),
      cells("all", total),
    ]).map((line) => `  ${line}`),
    "",
    ...findings.map((finding) => `  ${finding}`),
    ...broken.map(({ rule }) => `  ✗ ${rule}`),
    `  ${thresholds.filter(({ ok }) => ok).length} of ${thresholds.length} thresholds hold` +
      (checks.length > 0 ? `, ${checks.filter(({ ok }) => ok).length} of ${checks.length} checks` : ""),
  ];
  return `\n${lines.join("\n")}\n\n`;
}

function cells(name: string, { calls, failedRatio, latency }: Part): string[] {
  const { median, p95, p99, max } = latency;
  return [name, whole(calls), percent(failedRatio), ...[median, p95, p99, max].map(milliseconds)];
}
