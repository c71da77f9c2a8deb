/** A steady rate of calls while workers are replaced: not one of them may fail. */
import { steady } from "./lib/plan.ts";
import { prepare } from "./lib/run.ts";

const run = prepare({
  name: "rollout",
  defaults: {},
  plan: steady,
  objectives: true,
  thresholds: () => ({ grpc_req_failed: ["rate==0"] }),
});

export const { options, handleSummary } = run;
export default run.mix;
