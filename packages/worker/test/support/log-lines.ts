import { EventEmitter, once } from "node:events";
import { createLogTo, type Logger } from "../../src/log.ts";

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly file?: string;
  readonly peer?: string;
  readonly reason?: string;
  readonly problems?: readonly string[];
  readonly err?: { readonly message: string };
}

/** A logger whose lines can be waited for. */
export interface LogLines {
  readonly log: Logger;
  readonly lines: readonly LogLine[];
  /** The next line of this level that has not been waited for; one that has come already counts. */
  next(level: string): Promise<LogLine>;
}

export function logLines(): LogLines {
  const lines: LogLine[] = [];
  const arrivals = new EventEmitter();
  let waited = 0;
  const log = createLogTo((line) => {
    lines.push(JSON.parse(line));
    arrivals.emit("line");
  });
  return {
    log,
    lines,
    async next(level) {
      for (;;) {
        while (waited < lines.length) {
          const line = lines[waited];
          waited += 1;
          if (line?.level === level) return line;
        }
        await once(arrivals, "line");
      }
    },
  };
}
