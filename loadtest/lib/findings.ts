/** What a run's figures say, in sentences. Nothing of k6 is in here. */
import type { Result, StepResult } from "./report/result.ts";
import { milliseconds, percent, rate } from "./report/words.ts";

interface Objective {
  readonly availability: number;
  readonly latency: { readonly ms: number };
}

/** Fewer of the calls that were wanted, and whoever calls has no more connections: answers do not come in time. */
const SERVED = 0.9;

/** The first step of stairs that does not hold the objectives; one alone, between two that do, is chance. */
export function kneeOf({ steps }: Result, objectives: readonly Objective[]): string {
  const availability = Math.min(1, ...objectives.map((each) => each.availability));
  const latencyMs = Math.min(...objectives.map(({ latency }) => latency.ms));
  const faults = steps.map((step) => faultOf(step, 1 - availability, latencyMs));
  const found = faults.findIndex((fault, step) => {
    return fault !== undefined && (step + 1 === faults.length || faults[step + 1] !== undefined);
  });
  const bad = steps[found];
  if (!bad) return `No knee: the SLOs hold up to ${wanted(steps.at(-1))}. Ask for more with MAX_RATE.`;
  const good = steps[found - 1];
  const broken = `at ${wanted(bad)}, ${faults[found]}`;
  return good
    ? `The knee: the SLOs hold up to ${wanted(good)}; ${broken}.`
    : `The SLOs hold at no rate: ${broken}. Ask for less with RATE.`;
}

function faultOf(step: StepResult, failing: number, latencyMs: number): string | undefined {
  const { failedRatio, latency, callsPerSecond, wantedPerSecond = 0 } = step;
  if (failedRatio > failing) return `${percent(failedRatio)} of calls fail`;
  if (latency.p99 > latencyMs) return `the 99th percentile is ${milliseconds(latency.p99)}`;
  if (callsPerSecond < SERVED * wantedPerSecond) return `only ${rate(callsPerSecond)} a second can be made`;
  return undefined;
}

const wanted = (step: StepResult | undefined) => `${rate(step?.wantedPerSecond ?? 0)} calls a second`;

/** How it was at the height, and after it. */
export function recoveryOf({ steps }: Result): string[] {
  const height = Math.max(...steps.map(({ wantedPerSecond = 0 }) => wantedPerSecond));
  const top = steps.filter(({ wantedPerSecond }) => wantedPerSecond === height);
  const [first, last] = [steps[0], steps.at(-1)];
  if (!first || !last) return [];
  const worst = top.reduce((most, each) => (each.latency.p99 > most.latency.p99 ? each : most), first);
  return [
    `At the height, ${rate(height)} calls a second: ${percent(Math.max(...top.map((each) => each.failedRatio)))} ` +
      `failed, the 99th percentile was ${milliseconds(worst.latency.p99)}.`,
    `Before it was ${milliseconds(first.latency.p99)}, after it ${milliseconds(last.latency.p99)}.`,
  ];
}

/** How the last quarter of the run differs from the second: the first is there to get warm. */
export function driftOf({ steps }: Result): string[] {
  const quarter = Math.floor(steps.length / 4);
  if (quarter === 0) return [];
  const mean = (part: readonly StepResult[]) =>
    part.reduce((sum, { latency }) => sum + latency.p95, 0) / part.length;
  const [early, late] = [mean(steps.slice(quarter, 2 * quarter)), mean(steps.slice(-quarter))];
  return [`The 95th percentile was ${milliseconds(early)} early on, and ${milliseconds(late)} in the end.`];
}

/** What was allowed, and what the rule allows: `limit` at once, and one more each `windowMs / limit`. */
export function quotaOf(
  { statuses, durationMs }: Result,
  { quotaLimit, quotaWindowMs }: { readonly quotaLimit: number; readonly quotaWindowMs: number },
): string[] {
  const refilled = quotaWindowMs === 0 ? 0 : Math.ceil((durationMs * quotaLimit) / quotaWindowMs);
  return [
    `${statuses.OK ?? 0} calls were allowed: the rule allows ${quotaLimit} at once, and at most ` +
      `${refilled} more in ${milliseconds(durationMs)}.`,
  ];
}
