import { isatty } from "node:tty";
import { type BaseLogger, type DestinationStream, destination, pino } from "pino";

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
  flush(): void;
}

const STDOUT = 1;
/** Lines are gathered into writes of this size, which costs half of what a write per line does … */
const GATHER_BYTES = 32 * 1024;
/** … but wait no longer than this. */
const WRITE_EVERY_MS = 100;
/** When whoever reads the log has stopped reading, lines past this are dropped: memory is worth more. */
const PENDING_BYTES = 16 * 1024 * 1024;

/** JSON lines on stdout; on a terminal, lines for people. */
export async function createLog(options: { name: string; level: string }): Promise<WorkerLog> {
  const { stream, flush } = isatty(STDOUT) ? await terminal() : lines();
  const log = pino(
    {
      level: options.level,
      base: { worker: options.name },
      timestamp: time,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return { log, flush };
}

/** A logger that writes each line to a function: for tests that read them. */
export function createLogTo(write: (line: string) => void, level = "trace"): Logger {
  return pino({ level, base: null, formatters: { level: (label) => ({ level: label }) } }, { write });
}

interface Sink {
  readonly stream: DestinationStream;
  flush(): void;
}

/** Lines wait as bytes: as text, each would live long enough to be moved to the old heap. */
function lines(): Sink {
  const output = destination({ fd: STDOUT, sync: false, maxLength: PENDING_BYTES });
  const gathered = Buffer.allocUnsafe(GATHER_BYTES);
  let used = 0;
  const write = () => {
    if (used === 0) return;
    output.write(gathered.toString("utf8", 0, used));
    used = 0;
  };
  setInterval(write, WRITE_EVERY_MS).unref();
  return {
    stream: {
      write(line) {
        const mostBytes = line.length * 3;
        if (mostBytes > GATHER_BYTES - used) write();
        if (mostBytes > GATHER_BYTES) output.write(line);
        else used += gathered.write(line, used);
      },
    },
    flush() {
      write();
      output.flushSync();
    },
  };
}

async function terminal(): Promise<Sink> {
  const { default: pretty } = await import("pino-pretty");
  const stream = pretty({ colorize: true, sync: true, ignore: "worker,trace_id,span_id", messageKey: "msg" });
  return { stream, flush: () => {} };
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
