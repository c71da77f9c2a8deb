/** Every method once, answered and refused, with all that comes with the answer. */
import { once } from "./lib/plan.ts";
import { prepare } from "./lib/run.ts";

const run = prepare({
  name: "smoke",
  defaults: { connections: 1 },
  plan: () => once(1, 60_000),
  objectives: false,
  thresholds: () => ({ checks: ["rate==1"], grpc_req_failed: ["rate==0"] }),
});

export const { options, handleSummary } = run;

export default async function smoke(): Promise<void> {
  for (const method of run.methods) {
    const name = `${method.service}/${method.name}`;
    await run.expect(`${name} answers`, method, method.answered(`smoke-${Date.now()}`));
    if (method.refused) await run.expect(`${name} refuses`, method, method.refused);
  }
}
