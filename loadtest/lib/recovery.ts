/** Runs that ask for more than workers may be able to do, and look at how they are afterwards. */
import { recoveryOf } from "./findings.ts";
import { stairs } from "./plan.ts";
import { prepare, type Run } from "./run.ts";
import { sloThresholds } from "./slos.ts";

/** The last steps of twenty: whoever has recovered holds the objectives in each of them. */
const LOOKED_AT = [17, 18, 19];

/** @param heights how much of the way from RATE to MAX_RATE each of twenty steps has, from 0 to 1 */
export function recovering(name: string, heights: readonly number[]): Run {
  return prepare({
    name,
    defaults: { connections: 200 },
    plan: (settings) => {
      const { rate, maxRate } = settings;
      return stairs(
        settings,
        heights.map((height) => Math.round(rate + (maxRate - rate) * height)),
      );
    },
    objectives: false,
    thresholds: (_, services) =>
      Object.assign({}, ...LOOKED_AT.map((step) => sloThresholds(services, `,step:${step}`))),
    findings: recoveryOf,
  });
}
