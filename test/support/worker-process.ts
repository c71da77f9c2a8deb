import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const ROOT = join(import.meta.dirname, "../..");

/** A line of a worker's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A worker that runs as a process of its own, as anybody would run it. Disposing of it kills it. */
export interface WorkerProcess extends AsyncDisposable {
  readonly pid: number;
  /** Where it serves gRPC: `127.0.0.1:40123`. */
  readonly address: string;
  /** Where its admin pages are: `http://127.0.0.1:40124`. */
  readonly admin: string;
  /** What it has logged until now. */
  readonly logs: readonly LogLine[];
  /** The lines that it has written to stderr. */
  readonly errors: readonly string[];
  /** The first line for which this holds, whether it has come or is still to come. */
  logged(holds: (line: LogLine) => boolean): Promise<LogLine>;
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has ended and all that it said has been read. */
  readonly exited: Promise<Exit>;
}

/** Settings of a worker. It has no others: nothing of the test's own environment but the PATH. */
export type Settings = Readonly<Record<string, string>>;

/**
 * Starts a service of this repository, or any file, on free ports; resolves when it serves.
 *
 * @param within a command that runs the command behind it elsewhere, such as on a host of a network
 */
export async function startWorker(
  service: string,
  settings: Settings = {},
  within: readonly string[] = [],
): Promise<WorkerProcess> {
  const started = startProcess(service, settings, within);
  try {
    const { address, admin } = await started.logged(({ msg }) => msg === "serving");
    return { ...started, address: String(address), admin: String(admin) };
  } catch (error) {
    await started[Symbol.asyncDispose]();
    throw error;
  }
}

/** Runs a worker that is not expected to start, to its end. */
export async function runToExit(service: string, settings: Settings): Promise<Exit & { stderr: string }> {
  await using started = startProcess(service, settings);
  return { ...(await started.exited), stderr: started.errors.join("\n") };
}

function startProcess(service: string, settings: Settings, within: readonly string[] = []) {
  const entry = service.endsWith(".ts") ? service : join(ROOT, "services", service, "src/main.ts");
  const [program = process.execPath, ...args] = [...within, process.execPath, entry];
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, PORT: "0", ADMIN_PORT: "0", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const logs: LogLine[] = [];
  const errors: string[] = [];
  const arrivals = new EventEmitter<{ line: [LogLine]; end: [] }>().setMaxListeners(0);
  createInterface(child.stdout).on("line", (text) => {
    const line: LogLine = JSON.parse(text);
    logs.push(line);
    arrivals.emit("line", line);
  });
  createInterface(child.stderr).on("line", (text) => errors.push(text));
  const exited = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => {
      resolve({ code, signal });
      arrivals.emit("end");
    });
  });

  return {
    // Without one, spawning has failed, and `exited` tells.
    pid: child.pid ?? 0,
    logs,
    errors,
    exited,
    signal(name: NodeJS.Signals) {
      child.kill(name);
    },
    logged(holds: (line: LogLine) => boolean): Promise<LogLine> {
      return new Promise((resolve, reject) => {
        const found = logs.find(holds);
        if (found) return resolve(found);
        const settle = () => {
          arrivals.off("line", onLine);
          arrivals.off("end", onEnd);
        };
        const onLine = (line: LogLine) => {
          if (!holds(line)) return;
          settle();
          resolve(line);
        };
        const onEnd = () => {
          settle();
          const said = [...errors, ...logs.map((line) => JSON.stringify(line))].join("\n");
          reject(new Error(`${service} ended before it logged the line that was waited for:\n${said}`));
        };
        arrivals.on("line", onLine);
        arrivals.on("end", onEnd);
      });
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "close");
      }
    },
  };
}
