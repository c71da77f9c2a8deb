import type { IncomingMessage, ServerResponse } from "node:http";

/** Headers as Node.js writes them. */
export type Headers = Readonly<Record<string, string | string[]>>;

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Headers;
}

/** A client that does not take the rest of its answer in this time, not a byte of it, is cut off. */
const STALLED_MS = 30_000;
/** How long a client that goes on sending is listened to, so that it gets to read what it was told. */
const LINGER_MS = 1_000;

/** Answers a request with all of its body at once. */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, contentType, body, headers }: Answer,
): void {
  // The client that it was for may have gone, or what was to be streamed may have begun.
  if (response.destroyed || response.headersSent) return;
  closesIfUnread(request, response);
  response.writeHead(status, {
    "x-content-type-options": "nosniff",
    ...headers,
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
  });
  if (isUnread(request)) {
    response.write(body);
    void finish(request, response);
  } else {
    response.end(body);
    cutOffIfStalled(response);
  }
}

/** A connection on which a body is still coming serves no other request: say so with the answer's headers. */
export function closesIfUnread(request: IncomingMessage, response: ServerResponse): void {
  if (isUnread(request)) response.setHeader("connection", "close");
}

/** Ends an answer, behind what is left of its request where something is. */
export async function finish(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await drained(request);
  if (response.destroyed) return;
  response.end();
  cutOffIfStalled(response);
}

/** Sees to it that an answer whose end was written is taken, and its connection free again. */
export function cutOffIfStalled(response: ServerResponse): void {
  response.setTimeout(STALLED_MS);
}

/**
 * Drops what is left of a request. A connection that is closed with bytes unread is reset, and a client that
 * is reset loses what it has not read either: so it gets a moment to notice that it has its answer.
 */
export async function drained(request: IncomingMessage): Promise<void> {
  if (!isUnread(request) || request.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LINGER_MS);
  request.once("end", resolve).once("close", resolve).resume();
  await promise;
  clearTimeout(timer);
}

/** Whether some of the request's body has not come yet. */
function isUnread({ headers, complete }: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": coding } = headers;
  return !complete && (coding !== undefined || (length !== undefined && length !== "0"));
}
