/** How much is called when. k6's scenarios are made of it, and so are the charts. */
import type { Scenario, Stage } from "k6/options";
import type { Settings } from "./settings.ts";

/** A run is looked at in equal steps of its time. */
export interface Plan {
  readonly scenario: Scenario;
  readonly stepMs: number;
  /** The rate that each step is to have, in calls per second; undefined where there is none. */
  readonly rates: readonly (number | undefined)[];
}

const STEPS = 20;

/** The same rate from begin to end. */
export function steady(settings: Settings): Plan {
  const { durationMs, rate } = settings;
  return {
    scenario: {
      executor: "constant-arrival-rate",
      rate,
      duration: `${durationMs}ms`,
      ...arrivals(settings),
    },
    stepMs: durationMs / STEPS,
    rates: Array.from({ length: STEPS }, () => rate),
  };
}

/** A rate for each step, held for as long as the step takes. */
export function stairs(settings: Settings, rates: readonly number[]): Plan {
  const stepMs = Math.round(settings.durationMs / rates.length);
  const stages: Stage[] = rates.flatMap((target) => [
    { target, duration: "0s" },
    { target, duration: `${stepMs}ms` },
  ]);
  return {
    scenario: {
      executor: "ramping-arrival-rate",
      startRate: rates[0] ?? settings.rate,
      stages,
      ...arrivals(settings),
    },
    stepMs,
    rates,
  };
}

/** Each virtual user does its part, once. */
export function once(vus: number, maxDurationMs: number): Plan {
  return {
    scenario: { executor: "per-vu-iterations", vus, iterations: 1, maxDuration: `${maxDurationMs}ms` },
    stepMs: maxDurationMs / STEPS,
    rates: Array.from({ length: STEPS }, () => undefined),
  };
}

/** An iteration makes `callsPerConnection` calls at once, so that there are fewer iterations than calls. */
function arrivals({ callsPerConnection, connections }: Settings) {
  return {
    timeUnit: `${callsPerConnection}s`,
    preAllocatedVUs: connections,
    maxVUs: connections,
    gracefulStop: "5s",
  };
}
