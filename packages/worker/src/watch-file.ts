import { unwatchFile, watchFile as watchStat } from "node:fs";
import { readConfigFile } from "./config/config-file.ts";
import type { Logger } from "./log.ts";

export interface WatchFileOptions {
  readonly log: Logger;
  /** What the caller has read of the file already: only what differs from it is news. */
  readonly content: string;
  /** How often to look, in milliseconds. Default: 1000. */
  readonly intervalMs?: number;
}

/**
 * Calls `onChange` with the file's text whenever it becomes another. It looks at the file by its path
 * every so often rather than ask the system for events: these are tied to one inode and miss a file
 * that is renamed over, and Kubernetes changes a mounted ConfigMap by swapping a symbolic link
 * (`..data`) on the way to it. A file that changes is read once it has been left alone for one
 * interval, so that one written in place is not read half written. A file that goes missing or cannot
 * be read is logged, and what was read before stands.
 *
 * Watching keeps no process alive. `close` stops it: `onChange` is not called after.
 */
export function watchFile(
  path: string,
  onChange: (content: string) => void,
  { log, content, intervalMs = 1_000 }: WatchFileOptions,
): { close(): void } {
  let current = content;
  let closed = false;
  let settling: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    let found: string;
    try {
      found = await readConfigFile(path);
    } catch (error) {
      if (!closed)
        log.warn({ file: path, err: error }, "a watched file cannot be read; what it said before stands");
      return;
    }
    if (closed || found === current) return;
    current = found;
    onChange(found);
  }

  const onStat = () => {
    clearTimeout(settling);
    settling = setTimeout(look, intervalMs).unref();
  };
  watchStat(path, { interval: intervalMs, persistent: false }, onStat);
  // What happened between the caller's reading and the first look is news too.
  onStat();

  return {
    close() {
      closed = true;
      clearTimeout(settling);
      unwatchFile(path, onStat);
    },
  };
}
