/** Calls when no worker is there, again and again until one answers: how long does it take to begin from nothing? */
import { check, sleep } from "k6";
import { OK } from "./lib/answers.ts";
import { coldStart } from "./lib/metrics.ts";
import { once } from "./lib/plan.ts";
import { prepare } from "./lib/run.ts";

/** From one attempt to the next. */
const BETWEEN_S = 0.05;

const run = prepare({
  name: "cold",
  defaults: { connections: 1 },
  plan: ({ starts, pauseMs, coldMs }) => once(1, starts * (pauseMs + 2 * coldMs)),
  objectives: false,
  thresholds: ({ coldMs }) => ({ cold_start_duration: [`max<=${coldMs}`], checks: ["rate==1"] }),
});

export const { options, handleSummary } = run;

export default async function cold(): Promise<void> {
  const { starts, pauseMs, coldMs } = run.settings;
  const method = run.methods.find(({ kind }) => kind === "unary");
  if (!method) throw new Error("SERVICES has no unary method: cold calls one.");
  for (let start = 0; start < starts; start += 1) {
    run.connections.close();
    sleep(pauseMs / 1_000);
    const beganAt = Date.now();
    let answered = false;
    while (!answered && Date.now() - beganAt < coldMs) {
      const answer = await run.attempt(method, method.answered(`cold-${beganAt}`));
      answered = answer.code === OK;
      if (!answered) sleep(BETWEEN_S);
    }
    check(answered, { "a worker answers": (holds) => holds });
    if (answered) coldStart.add(Date.now() - beganAt);
  }
}
