/**
 * What grpc-js keeps to itself of a request's headers, or loses, and its users need.
 *
 * - `grpc-accept-encoding` is taken out of the metadata, so that a server cannot know whether a client
 *   reads compressed replies.
 * - A message that is flagged as compressed and names no encoding passes for one that is not compressed,
 *   where the specification has it fail.
 * - `grpc-timeout` is multiplied out and cut to 32 bits: the 1,000 hours that a client may ask for come
 *   out negative, and its call ends before it began. What is no timeout may pass for one.
 *   https://github.com/grpc/grpc-node (server-interceptors.ts)
 * - The size of metadata has no limit of its own; HTTP/2's are all there is: 64 KiB a header, 128
 *   headers, about 144 KiB of frames.
 * - The values of a key that was sent several times come as one, joined by commas.
 *
 * Node.js publishes the headers of every HTTP/2 stream before anyone handles it, on the channel
 * `http2.server.stream.created`; what is noted there on the headers reaches the metadata of the call.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Code, RpcError } from "@gantry/rpc";
import type { Metadata } from "@grpc/grpc-js";
import { MAX_METADATA_BYTES } from "../limits.ts";

/** Set on requests whose metadata is too large, to its size. */
export const OVERSIZE_HEADER = "gantry-metadata-bytes";
/** Set on every request that sent `grpc-accept-encoding`, to its value, where a server compresses. */
export const ACCEPT_ENCODING_HEADER = "gantry-accept-encoding";
/** The `grpc-encoding` of requests that named none. grpc-js does not know it, and so says that it does not. */
export const NO_ENCODING = "gantry-no-encoding";

const CHANNEL = "http2.server.stream.created";
/** What HTTP/2 itself adds to each header when it counts them. RFC 9113, section 6.5.2. */
const HEADER_OVERHEAD_BYTES = 32;
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
/** The longest timeout that fits in 32 bits of milliseconds, by the units of `grpc-timeout` where some do not. */
const LONGEST: Readonly<Record<string, number>> = { H: 596, M: 35_791, S: 2_147_483 };
/** What grpc-js knows for no timeout. It looks for one anywhere in the text, and would find `5S` in `1.5S`. */
const NO_TIMEOUT = "not valid";

let watchers = 0;
let compressing = 0;

/** Notes headers for as long as any server of this process is open. */
export function watchRequestHeaders({ compresses }: { compresses: boolean }): { close(): void } {
  if (watchers++ === 0) subscribe(CHANNEL, onStreamCreated);
  if (compresses) compressing += 1;
  let open = true;
  return {
    close() {
      if (!open) return;
      open = false;
      if (compresses) compressing -= 1;
      if (--watchers === 0) unsubscribe(CHANNEL, onStreamCreated);
    },
  };
}

/** The values of a key, as HTTP joins them where there are several; undefined where there are none, or nothing in them. */
export function header(metadata: Metadata, key: string): string | undefined {
  const values = metadata.get(key);
  const [only] = values;
  return (values.length === 1 && typeof only === "string" ? only : values.join(", ")) || undefined;
}

/** Whether the client reads replies that are compressed by gzip. */
export function acceptsGzip(metadata: Metadata): boolean {
  return (
    header(metadata, ACCEPT_ENCODING_HEADER)
      ?.split(/\s*,\s*/)
      .includes("gzip") ?? false
  );
}

/** What a call fails with that has `OVERSIZE_HEADER`. @param bytes its value */
export function metadataTooLarge(bytes: unknown): RpcError {
  return new RpcError(
    Code.ResourceExhausted,
    `The request's metadata has ${bytes} bytes: expected at most 16 KiB.`,
  );
}

function onStreamCreated(message: unknown): void {
  // The shape is Node.js's own: https://nodejs.org/api/diagnostics_channel.html#http2
  const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
  if (!headers["content-type"]?.startsWith("application/grpc")) return;

  let bytes = 0;
  let joined = false;
  for (const name in headers) {
    const value = headers[name];
    bytes += sizeOf(name, value);
    joined ||= typeof value === "string" && value.includes(JOINT);
  }
  if (bytes > MAX_METADATA_BYTES) headers[OVERSIZE_HEADER] = String(bytes);
  else if (OVERSIZE_HEADER in headers) delete headers[OVERSIZE_HEADER];
  if (joined) separateValues(stream);

  const accepted = compressing > 0 ? headers["grpc-accept-encoding"] : undefined;
  if (accepted !== undefined) headers[ACCEPT_ENCODING_HEADER] = accepted;
  else if (ACCEPT_ENCODING_HEADER in headers) delete headers[ACCEPT_ENCODING_HEADER];

  const encoding = headers["grpc-encoding"];
  if (encoding === undefined || encoding === "identity") headers["grpc-encoding"] = NO_ENCODING;

  const timeout = headers["grpc-timeout"];
  if (typeof timeout === "string") headers["grpc-timeout"] = boundedTimeout(timeout);
}

function sizeOf(name: string, value: string | string[] | undefined): number {
  if (typeof value === "string") return name.length + value.length + HEADER_OVERHEAD_BYTES;
  let bytes = 0;
  if (value) for (const one of value) bytes += name.length + one.length + HEADER_OVERHEAD_BYTES;
  return bytes;
}

function boundedTimeout(timeout: string): string {
  const [, digits, unit = ""] = TIMEOUT.exec(timeout) ?? [];
  if (digits === undefined) return NO_TIMEOUT;
  const longest = LONGEST[unit];
  return longest !== undefined && Number(digits) > longest ? `${longest}${unit}` : timeout;
}

/** What Node.js puts between the values of a header that came several times. */
const JOINT = ", ";

/**
 * Takes joined values apart again, by the list of what really came. Node.js hands that out when it
 * announces the stream, a moment later and still before grpc-js looks at the headers. Values of bytes
 * are left joined: grpc-js takes those apart itself.
 */
function separateValues(stream: ServerHttp2Stream): void {
  const { session } = stream;
  const onStream = (
    announced: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    pairs: readonly string[],
  ) => {
    if (announced !== stream) return;
    session?.off("stream", onStream);
    const values = new Map<string, string[]>();
    for (let at = 0; at < pairs.length; at += 2) {
      const name = pairs[at] ?? "";
      const value = pairs[at + 1] ?? "";
      const others = values.get(name);
      if (others) others.push(value);
      else values.set(name, [value]);
    }
    for (const [name, several] of values) {
      if (several.length > 1 && headers[name] === several.join(JOINT) && !name.endsWith("-bin")) {
        headers[name] = several;
      }
    }
  };
  session?.prependListener("stream", onStream);
}
