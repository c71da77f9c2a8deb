import { PolicyError } from "./policy/policy-error.ts";
import { SettingsError } from "./settings.ts";
import { startWorker, type Worker, type WorkerOptions } from "./worker.ts";

/** How a worker ends, as the shell and Kubernetes see it. The numbers above 1 are those of sysexits.h. */
const EXIT = { ok: 0, failed: 1, softwareError: 70, badSettings: 78 } as const;

/**
 * Runs a worker as this process: starts it, drains it on SIGTERM or SIGINT and exits 0. A second signal
 * exits at once with 1; a setting or policy that is wrong exits with 78; an error outside of any call
 * drains and exits with 70.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  let worker: Worker;
  try {
    worker = await startWorker(options);
  } catch (error) {
    const wrong = error instanceof SettingsError || error instanceof PolicyError;
    process.stderr.write(`${options.name} did not start. ${describe(error)}\n`);
    process.exit(wrong ? EXIT.badSettings : EXIT.failed);
  }

  let stopping = false;
  const stop = async (exitCode: number) => {
    stopping = true;
    try {
      await worker.stop();
      process.exit(exitCode);
    } catch (error) {
      process.stderr.write(`${options.name} did not stop well. ${describe(error)}\n`);
      process.exit(EXIT.softwareError);
    }
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(EXIT.failed);
      void stop(EXIT.ok);
    });
  }
  for (const event of ["unhandledRejection", "uncaughtException"] as const) {
    process.on(event, (error: unknown) => {
      worker.log.fatal({ err: error, event }, "an error outside of any call: the worker stops");
      if (!stopping) void stop(EXIT.softwareError);
    });
  }
}

/** An expected error is its sentence; any other one its stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error.constructor !== TypeError && !("code" in error);
  return expected ? error.message : (error.stack ?? error.message);
}
