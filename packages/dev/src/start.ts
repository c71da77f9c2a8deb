// `npm start`: every worker as a process of its own, until Ctrl-C.
import { announcement, HELP } from "./workers/announcement.ts";
import { planConsole } from "./workers/console.ts";
import { buildConsolePage } from "./workers/console-page.ts";
import { feedLines } from "./workers/feed-lines.ts";
import { lineSinks } from "./workers/lines.ts";
import { WORKERS } from "./workers/list.ts";
import { PlanError, planWorkers } from "./workers/plan.ts";
import { ENDED_BEFORE_SERVING, startProcess, untilReady } from "./workers/worker-process.ts";

if (process.argv.includes("--help")) {
  console.log(HELP);
  process.exit(0);
}

const planned = await planWorkers(WORKERS, process.env).catch((error: unknown) => {
  if (!(error instanceof PlanError)) throw error;
  console.error(error.message);
  process.exit(error.exitCode);
});
const { plans, console: local } = planConsole(planned);
if (local) await buildConsolePage();
const shown = lineSinks(plans.map(({ worker }) => worker.name));
const sinkFor = local?.feed ? feedLines(local.feed, shown) : shown;
const workers = plans.map((plan) => startProcess(plan, sinkFor(plan.worker.name)));

const stopping = new AbortController();
let exitCode = 0;

/** Drains every worker; this process ends with the first code that is not 0. */
function stop(code: number): void {
  exitCode ||= code;
  if (stopping.signal.aborted) return;
  stopping.abort();
  for (const worker of workers) worker.drain();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) {
      for (const worker of workers) worker.kill();
      process.exit(1);
    }
    console.error("Draining; once more to stop at once …");
    stop(0);
  });
}
// run.mjs has gone, or whoever reads what is printed here: nobody is left to serve.
process.on("disconnect", () => stop(0));
process.stdout.on("error", () => stop(0));

for (const { plan, exited } of workers) {
  void exited.then((code) => {
    if (stopping.signal.aborted) return stop(code === ENDED_BEFORE_SERVING ? 0 : code);
    console.error(`${plan.worker.name} ended with exit code ${code}: stopping the others.`);
    stop(code || 1);
  });
}
void Promise.all(plans.map((plan) => untilReady(plan, stopping.signal))).then(() => {
  if (!stopping.signal.aborted) console.log(announcement(plans, local?.url));
});
await Promise.all(workers.map(({ exited }) => exited));
process.exit(exitCode);
