import { Metadata, type MetadataValue, type RpcError } from "@gantry/rpc";
import { Metadata as GrpcMetadata } from "@grpc/grpc-js";
import { isMetadata, sendable } from "../header-rules.ts";
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

/** The first value of a key, where it is text. */
export function text(metadata: GrpcMetadata, key: string): string | undefined {
  const value = metadata.get(key)[0];
  return typeof value === "string" ? value : undefined;
}

/** What goes over the wire, in grpc-js's terms; undefined where there is nothing. */
export function toGrpc(metadata: Metadata | undefined): OutgoingMetadata | undefined {
  return metadata && metadata.size > 0 ? new OutgoingMetadata(metadata) : undefined;
}

/** The trailers of a call that failed: the handler's, the error's own, and its details. */
export function errorTrailers(error: RpcError, trailers: Metadata | undefined): GrpcMetadata {
  const result = new OutgoingMetadata(trailers, error.metadata);
  const details = error.detailsBinary();
  if (details && details.byteLength <= MAX_DETAILS_BYTES) result.put("grpc-status-details-bin", [details]);
  return result;
}

/**
 * Metadata on its way out. grpc-js would check each key and value again, copy them, and write them down
 * as headers; ours were checked when they were set, and are written down once.
 */
export class OutgoingMetadata extends GrpcMetadata {
  // A plain object, which grpc-js copies faster than one without a prototype; `put` looks at its own keys only.
  readonly #headers: Record<string, string | string[]> = {};

  constructor(...parts: readonly (Metadata | undefined)[]) {
    super();
    const put = (values: readonly MetadataValue[], key: string) => {
      if (isMetadata(key)) this.put(key, values);
    };
    for (const part of parts) part?.forEach(put);
  }

  put(key: string, values: readonly MetadataValue[]): void {
    const [first] = values;
    const before = Object.hasOwn(this.#headers, key) ? this.#headers[key] : undefined;
    if (before === undefined && first !== undefined && values.length === 1) {
      this.#headers[key] = headerValue(first);
    } else {
      const texts = values.map(headerValue);
      this.#headers[key] = sendable(key, before === undefined ? texts : [before, texts].flat());
    }
  }

  override clone(): GrpcMetadata {
    return this;
  }

  override toHttp2Headers(): Record<string, string | string[]> {
    return this.#headers;
  }
}

function headerValue(value: MetadataValue): string {
  return typeof value === "string" ? value : asBuffer(value).toString("base64");
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
