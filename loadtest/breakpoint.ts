/** In stairs from RATE to MAX_RATE: at which rate do the objectives no longer hold? */
import { kneeOf } from "./lib/findings.ts";
import { stairs } from "./lib/plan.ts";
import { prepare } from "./lib/run.ts";
import { SLOS } from "./lib/slos.ts";

const STEPS = 20;

const run = prepare({
  name: "breakpoint",
  defaults: { connections: 200, maxRate: 2_000 },
  plan: (settings) => {
    const { rate, maxRate } = settings;
    return stairs(
      settings,
      Array.from({ length: STEPS }, (_, step) => Math.round(rate + ((maxRate - rate) * step) / (STEPS - 1))),
    );
  },
  objectives: false,
  findings: (result) => {
    const called = result.methods.flatMap(({ method }) => SLOS[method.replace(/\/.*/, "")] ?? []);
    return [kneeOf(result, called)];
  },
});

export const { options, handleSummary } = run;
export default run.mix;
