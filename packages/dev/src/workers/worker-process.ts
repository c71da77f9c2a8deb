import { spawn } from "node:child_process";
import { get } from "node:http";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { reachable } from "./address.ts";
import { entryOf } from "./list.ts";
import type { Plan } from "./plan.ts";

/** A worker that runs as a process of its own. */
export interface WorkerProcess {
  readonly plan: Plan;
  /** Resolves with its exit code; of one that a signal ended, with 128 and the signal's number. */
  readonly exited: Promise<number>;
  /** Asks it to drain. */
  drain(): void;
  /** Ends it at once. */
  kill(): void;
}

/** Where the lines that a worker prints go. */
export interface LineSink {
  /** A line of its log. */
  log(line: string): void;
  /** A line of anything else, such as why it did not start. */
  error(line: string): void;
}

/** How a worker ends that is asked to drain before it serves: it has nothing to drain. */
export const ENDED_BEFORE_SERVING = 128 + constants.signals.SIGTERM;

/** Starts a worker from its sources. */
export function startProcess(plan: Plan, sink: LineSink): WorkerProcess {
  const child = spawn(process.execPath, [entryOf(plan.worker.name)], {
    env: plan.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  createInterface(child.stdout).on("line", (line) => sink.log(line));
  createInterface(child.stderr).on("line", (line) => sink.error(line));
  return {
    plan,
    exited: new Promise((resolve) => {
      child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    }),
    drain: () => child.kill("SIGTERM"),
    kill: () => child.kill("SIGKILL"),
  };
}

const READY_POLL_MS = 25;

/** Resolves once the worker says of itself that it is ready, as Kubernetes would ask. */
export async function untilReady(plan: Plan, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted && !(await isReady(plan))) await wait(READY_POLL_MS);
}

function isReady({ host, adminPort }: Plan): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      { host: reachable(host), port: adminPort, path: "/readyz", agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.once("error", () => resolve(false));
  });
}
