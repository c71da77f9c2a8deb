/** A steady rate of calls of all methods, held to the services' objectives. */
import { steady } from "./lib/plan.ts";
import { prepare } from "./lib/run.ts";

const run = prepare({ name: "load", defaults: {}, plan: steady, objectives: true });

export const { options, handleSummary } = run;
export default run.mix;
