/** Many connections greet one name at once: exactly what the rule allows is allowed. */
import { check } from "k6";
import { hasRetryDelay, OK, refusedByQuota } from "./lib/answers.ts";
import { quotaOf } from "./lib/findings.ts";
import type { Example } from "./lib/methods.ts";
import { once } from "./lib/plan.ts";
import { prepare } from "./lib/run.ts";
import { SLOS } from "./lib/slos.ts";

const SERVICE = "greeter.v1.Greeter";
/** In all, so many times what is allowed at once. */
const CALLS_PER_ALLOWED = 10;
/** What refills in this time is allowed on top. */
const MOST_MS = 10_000;

const run = prepare({
  name: "quota",
  defaults: { connections: 50 },
  plan: ({ connections }) => once(connections, MOST_MS),
  objectives: false,
  refusals: true,
  thresholds: ({ quotaLimit, quotaWindowMs }) => {
    const refilled = quotaWindowMs === 0 ? 0 : Math.ceil((MOST_MS * quotaLimit) / quotaWindowMs);
    return {
      "grpc_reqs{status:0}": [`count>=${quotaLimit}`, `count<=${quotaLimit + refilled}`],
      quota_refused: ["count>0"],
      grpc_req_failed: ["rate==0"],
      checks: ["rate==1"],
      "grpc_req_duration{status:8}": [`p(99)<=${SLOS[SERVICE]?.latency.ms}`],
    };
  },
  findings: quotaOf,
});

export const { options, handleSummary } = run;

/** The name that all greet: no run before has greeted it. */
export function setup(): string {
  return `quota-${Date.now()}`;
}

export default async function quota(name: string): Promise<void> {
  const method = run.methods.find((each) => each.service === SERVICE && each.name === "SayHello");
  if (!method) throw new Error(`SERVICES does not have ${SERVICE}: quota calls its SayHello.`);
  const { quotaLimit, quotaWindowMs, connections, callsPerConnection } = run.settings;
  const example: Example = method.answered(name);
  const mine = Math.ceil((quotaLimit * CALLS_PER_ALLOWED) / connections);
  for (let made = 0; made < mine; made += callsPerConnection) {
    const answers = await Promise.all(
      Array.from({ length: callsPerConnection }, () => run.call(method, example)),
    );
    for (const answer of answers) {
      if (answer.code === OK) continue;
      check(answer, {
        "refused with QuotaFailure": refusedByQuota,
        // Where nothing refills, there is no time to come again at.
        "refused with RetryInfo": (found) => quotaWindowMs === 0 || hasRetryDelay(found),
      });
    }
  }
}
