import type { IncomingMessage } from "node:http";
import { Code } from "@gantry/rpc";
import { cancelled } from "../../call.ts";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import { HttpError } from "./errors.ts";

/** How long a body that is one message may take to arrive. */
export const BODY_WITHIN_MS = 30_000;

const LINE_FEED = 0x0a;

/**
 * The bytes of a request as they come. The request outlives whoever stops reading them.
 *
 * @param withinMs fails with 408 where they are not all there by then. Default: no limit
 * @throws RpcError CANCELLED where the client went away in the middle
 */
export async function* chunksOf(request: IncomingMessage, withinMs?: number): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = request.iterator({ destroyOnReturn: false });
  const late = Promise.withResolvers<never>();
  const timer =
    withinMs === undefined ? undefined : setTimeout(() => late.reject(tooLate(withinMs)), withinMs);
  try {
    for (;;) {
      const next = chunks.next().catch(() => Promise.reject(cancelled()));
      const result = await (timer ? Promise.race([next, late.promise]) : next);
      if (result.done) return;
      yield result.value;
    }
  } finally {
    clearTimeout(timer);
    // Not waited for: one that is late has a chunk still to come.
    void chunks.return?.();
  }
}

/** A body that is one message, as text. @throws RpcError where it is too large, too late or no UTF-8 */
export async function readText(request: IncomingMessage): Promise<string> {
  const length = Number(request.headers["content-length"] ?? 0);
  if (length > MAX_MESSAGE_BYTES) throw tooLarge("The body");
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(request, BODY_WITHIN_MS)) {
    bytes += chunk.byteLength;
    if (bytes > MAX_MESSAGE_BYTES) throw tooLarge("The body");
    chunks.push(chunk);
  }
  return textOf(chunks, "The body");
}

/** The lines of a body as they come, without those that are blank. @throws RpcError as `readText` does */
export async function* linesOf(request: IncomingMessage): AsyncGenerator<string> {
  /** What has come of a line that has not ended. */
  let begun: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(request)) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      begun.push(chunk.subarray(from, end));
      if (bytes + end - from > MAX_MESSAGE_BYTES) throw tooLarge("A line");
      const line = textOf(begun, "A line");
      begun = [];
      bytes = 0;
      from = end + 1;
      if (line.trim() !== "") yield line;
    }
    begun.push(chunk.subarray(from));
    bytes += chunk.byteLength - from;
    if (bytes > MAX_MESSAGE_BYTES) throw tooLarge("A line");
  }
  const last = textOf(begun, "A line");
  if (last.trim() !== "") yield last;
}

function textOf(chunks: readonly Buffer[], what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new HttpError(400, Code.InvalidArgument, `${what} is not valid UTF-8.`);
  }
}

function tooLarge(what: string): HttpError {
  return new HttpError(
    413,
    Code.ResourceExhausted,
    `${what} has more than 4 MiB: a message may have at most that.`,
  );
}

function tooLate(withinMs: number): HttpError {
  return new HttpError(
    408,
    Code.DeadlineExceeded,
    `The request did not arrive: expected all of it within ${withinMs / 1_000} s.`,
  );
}
