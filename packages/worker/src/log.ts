import { isatty } from "node:tty";
import { type BaseLogger, pino } from "pino";
import { createLogSink, type LogSink } from "./log-sink.ts";

/** Writes lines of JSON: `log.info({ person: 7 }, "greeted")`. */
export interface Logger extends Pick<BaseLogger, "trace" | "debug" | "info" | "warn" | "error" | "fatal"> {
  /** A logger whose every line carries these fields too. */
  child(fields: Record<string, unknown>): Logger;
  /** Whether lines of this level are written. */
  isLevelEnabled(level: string): boolean;
}

/** The logger of a worker, and how to get its last lines out before the process ends. */
export interface WorkerLog {
  readonly log: Logger;
  /** Resolves when all lines are out, or when nobody takes them. */
  flush(): Promise<void>;
}

const STDOUT = 1;
/** JSON lines on stdout; on a terminal, lines for people. */
export async function createLog(options: { name: string; level: string }): Promise<WorkerLog> {
  const sink = isatty(STDOUT) ? await terminal() : standardOutput();
  const log = pino(
    {
      level: options.level,
      base: { worker: options.name },
      timestamp: time,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return { log, flush: () => sink.flush() };
}

let stdoutSink: LogSink | undefined;

/** Workers of one process share it: there is one standard output, and one end of the process. */
function standardOutput(): LogSink {
  stdoutSink ??= createLogSink(STDOUT);
  return stdoutSink;
}

/** A logger that writes each line to a function: for tests that read them. */
export function createLogTo(write: (line: string) => void, level = "trace"): Logger {
  return pino({ level, base: null, formatters: { level: (label) => ({ level: label }) } }, { write });
}

/** Lines for people, each written at once. */
async function terminal(): Promise<LogSink> {
  const { default: pretty } = await import("pino-pretty");
  const stream = pretty({ colorize: true, sync: true, ignore: "worker,trace_id,span_id", messageKey: "msg" });
  return { write: (line) => stream.write(line), flush: () => Promise.resolve() };
}

let timeMs = 0;
let timeText = "";

/** The field `time`; lines of the same millisecond share its text. */
function time(): string {
  const now = Date.now();
  if (now !== timeMs) {
    timeMs = now;
    timeText = `,"time":"${new Date(now).toISOString()}"`;
  }
  return timeText;
}
