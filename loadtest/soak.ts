/** A steady rate for long: what leaks or slows down shows here. */
import { driftOf } from "./lib/findings.ts";
import { steady } from "./lib/plan.ts";
import { prepare } from "./lib/run.ts";

const run = prepare({
  name: "soak",
  defaults: { durationMs: 3_600_000 },
  plan: steady,
  objectives: true,
  findings: driftOf,
});

export const { options, handleSummary } = run;
export default run.mix;
