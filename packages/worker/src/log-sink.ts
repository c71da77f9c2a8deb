import { writeSync, write as writeTo } from "node:fs";

/** Where a logger's lines go. */
export interface LogSink {
  write(line: string): void;
  /** Resolves when all lines are out, or when nobody takes them. */
  flush(): Promise<void>;
}

/** Lines are gathered into writes of this size, which costs half of what a write per line does … */
const GATHER_BYTES = 32 * 1024;
/** … but wait no longer than this. */
const WRITE_EVERY_MS = 100;
/** When whoever reads the log has stopped reading, lines past this are dropped: memory is worth more. */
const PENDING_BYTES = 16 * 1024 * 1024;
/** A reader that was slow for a moment is asked again after this; at the end, for at most `FLUSH_MS`. */
const RETRY_MS = 10;
const FLUSH_MS = 500;

/**
 * Writes lines to a file descriptor without holding up who logs. (pino's own destination does so too, but
 * when it is flushed and its reader has gone, it tries for ever: a worker would not end.)
 *
 * Lines wait as bytes: as text, each would live long enough to be moved to the old heap.
 */
export function createLogSink(fd: number): LogSink {
  const gathered = Buffer.allocUnsafe(GATHER_BYTES);
  let used = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let writing = false;
  let idle: (() => void) | undefined;

  function seal(): void {
    if (used === 0) return;
    enqueue(Buffer.from(gathered.subarray(0, used)));
    used = 0;
  }

  function enqueue(bytes: Buffer): void {
    if (pendingBytes + bytes.byteLength > PENDING_BYTES) return;
    pending.push(bytes);
    pendingBytes += bytes.byteLength;
    if (!writing) writeNext();
  }

  function writeNext(): void {
    const [bytes] = pending;
    writing = bytes !== undefined;
    if (!bytes) {
      idle?.();
      return;
    }
    writeTo(fd, bytes, (error, written) => {
      if (error?.code === "EAGAIN") {
        setTimeout(writeNext, RETRY_MS);
        return;
      }
      if (error) {
        // The reader has gone, or the disk is full: what cannot be written is not kept.
        pending = [];
        pendingBytes = 0;
      } else {
        pendingBytes -= written;
        if (written === bytes.byteLength) pending.shift();
        else pending[0] = bytes.subarray(written);
      }
      writeNext();
    });
  }

  setInterval(seal, WRITE_EVERY_MS).unref();
  // A process that ends without a flush still tells what it last had to say, if that can be had at once.
  process.once("exit", () => {
    if (writing || used === 0) return;
    try {
      writeSync(fd, gathered, 0, used);
    } catch {}
  });

  return {
    write(line) {
      const mostBytes = line.length * 3;
      if (mostBytes > GATHER_BYTES - used) seal();
      if (mostBytes > GATHER_BYTES) enqueue(Buffer.from(line));
      else used += gathered.write(line, used);
    },
    flush() {
      seal();
      if (!writing) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, FLUSH_MS);
        idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}
