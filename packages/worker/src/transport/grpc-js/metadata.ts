import { Metadata, type RpcError } from "@gantry/rpc";
import { Metadata as GrpcMetadata } from "@grpc/grpc-js";
import { ACCEPT_ENCODING_HEADER, OVERSIZE_HEADER } from "./request-headers.ts";

/** What came over the wire, in our terms. */
export function fromGrpc(metadata: GrpcMetadata): Metadata {
  const result = new Metadata();
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    if (key === ACCEPT_ENCODING_HEADER || key === OVERSIZE_HEADER) continue;
    for (const value of values) {
      // What HTTP/2 lets through may still be no metadata: it was not meant for us.
      try {
        result.append(key, value);
      } catch {}
    }
  }
  return result;
}

/** What goes over the wire, in grpc-js's terms; undefined where there is nothing. */
export function toGrpc(metadata: Metadata | undefined): GrpcMetadata | undefined {
  if (!metadata || metadata.size === 0) return undefined;
  const result = new GrpcMetadata();
  addTo(result, metadata);
  return result;
}

/** The trailers of a call that failed: the handler's, the error's own, and its details. */
export function errorTrailers(error: RpcError, trailers: Metadata | undefined): GrpcMetadata {
  const result = new GrpcMetadata();
  if (trailers) addTo(result, trailers);
  addTo(result, error.metadata);
  const details = error.detailsBinary();
  if (details && details.byteLength <= MAX_DETAILS_BYTES)
    result.set("grpc-status-details-bin", asBuffer(details));
  return result;
}

/**
 * Clients take 8 KiB of trailers as a rule (gRPC's default for metadata). Details that would not fit
 * are left out, for with them the client would not even get the status.
 */
const MAX_DETAILS_BYTES = 5 * 1024;
const MAX_MESSAGE_BYTES = 2 * 1024;

/** A status message that can be sent: whole characters only, and not so long that clients drop the trailers. */
export function sendableMessage(message: string): string {
  const text = message.isWellFormed() ? message : message.toWellFormed();
  // On the wire a character takes up to nine bytes: %E4%BD%A0.
  if (text.length * 9 <= MAX_MESSAGE_BYTES || encodeURI(text).length <= MAX_MESSAGE_BYTES) return text;
  let bytes = 0;
  let cut = "";
  for (const character of text) {
    bytes += encodeURI(character).length;
    if (bytes > MAX_MESSAGE_BYTES) break;
    cut += character;
  }
  return `${cut}…`;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function addTo(target: GrpcMetadata, metadata: Metadata): void {
  for (const [key, value] of metadata) target.add(key, typeof value === "string" ? value : asBuffer(value));
}
