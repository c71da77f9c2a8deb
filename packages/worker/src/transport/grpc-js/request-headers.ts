/**
 * What grpc-js keeps to itself of a request's headers, and its users need.
 *
 * - `grpc-accept-encoding` is taken out of the metadata, so that a server cannot know whether a client
 *   reads compressed replies.
 * - `grpc-timeout` is multiplied out and cut to 32 bits: the 1,000 hours that a client may ask for come
 *   out negative, and its call ends before it began. https://github.com/grpc/grpc-node (server-interceptors.ts)
 * - The size of metadata has no limit of its own; HTTP/2's of 64 KiB is all there is.
 *
 * Node.js publishes the headers of every HTTP/2 stream before anyone handles it, on the channel
 * `http2.server.stream.created`; what is noted there on the headers reaches the metadata of the call.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingHttpHeaders } from "node:http2";

/** Set on requests whose metadata is too large, to its size. */
export const OVERSIZE_HEADER = "gantry-metadata-bytes";
/** Set on every request that sent `grpc-accept-encoding`, to its value. */
export const ACCEPT_ENCODING_HEADER = "gantry-accept-encoding";

const CHANNEL = "http2.server.stream.created";
const MAX_METADATA_BYTES = 16 * 1024;
/** What HTTP/2 itself adds to each header when it counts them. RFC 9113, section 6.5.2. */
const HEADER_OVERHEAD_BYTES = 32;
/** The longest timeout that fits in 32 bits of milliseconds, by the units of `grpc-timeout`. */
const LONGEST: Readonly<Record<string, number>> = { H: 596, M: 35_791, S: 2_147_483 };

let watchers = 0;

/** Notes headers for as long as any server of this process is open. */
export function watchRequestHeaders(): { close(): void } {
  if (watchers++ === 0) subscribe(CHANNEL, onStreamCreated);
  let open = true;
  return {
    close() {
      if (open && --watchers === 0) unsubscribe(CHANNEL, onStreamCreated);
      open = false;
    },
  };
}

function onStreamCreated(message: unknown): void {
  // The shape is Node.js's own: https://nodejs.org/api/diagnostics_channel.html#http2
  const { headers } = message as { headers: IncomingHttpHeaders };
  if (!headers["content-type"]?.startsWith("application/grpc")) return;

  let bytes = 0;
  for (const name in headers) bytes += sizeOf(name, headers[name]);
  if (bytes > MAX_METADATA_BYTES) headers[OVERSIZE_HEADER] = String(bytes);
  else delete headers[OVERSIZE_HEADER];

  const accepted = headers["grpc-accept-encoding"];
  if (accepted !== undefined) headers[ACCEPT_ENCODING_HEADER] = accepted;
  else delete headers[ACCEPT_ENCODING_HEADER];

  const timeout = headers["grpc-timeout"];
  if (typeof timeout === "string" && timeout.length > 4) headers["grpc-timeout"] = shortened(timeout);
}

function sizeOf(name: string, value: string | string[] | undefined): number {
  if (typeof value === "string") return name.length + value.length + HEADER_OVERHEAD_BYTES;
  let bytes = 0;
  if (value) for (const one of value) bytes += name.length + one.length + HEADER_OVERHEAD_BYTES;
  return bytes;
}

function shortened(timeout: string): string {
  const unit = timeout.at(-1) ?? "";
  const longest = LONGEST[unit];
  return longest !== undefined && Number(timeout.slice(0, -1)) > longest ? `${longest}${unit}` : timeout;
}
