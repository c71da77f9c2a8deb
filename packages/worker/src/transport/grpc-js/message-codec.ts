import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { Code, RpcError } from "@gantry/rpc";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import { asBuffer } from "./metadata.ts";

const gzipBytes = promisify(gzip);

/** Below it, compression makes most messages longer, and all of them later. */
const WORTH_COMPRESSING_BYTES = 1_024;

/** @throws RpcError INVALID_ARGUMENT where the bytes are not such a message. */
export function decode(schema: DescMessage, bytes: Uint8Array): Message {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw new RpcError(
      Code.InvalidArgument,
      `The request is no ${schema.typeName}: its ${bytes.byteLength} bytes do not parse (${error instanceof Error ? error.message : error}).`,
    );
  }
}

/** @throws RpcError RESOURCE_EXHAUSTED where the message is too large to be sent, or what does not let it encode */
export function encode(schema: DescMessage, message: Message): Buffer {
  const bytes = toBinary(schema, message);
  if (bytes.byteLength > MAX_MESSAGE_BYTES) {
    throw new RpcError(
      Code.ResourceExhausted,
      `The reply has ${bytes.byteLength} bytes: a message may have at most 4 MiB.`,
    );
  }
  return asBuffer(bytes);
}

/** The same bytes as grpc-js sends them with the flag "compressed", where that is worth it. */
export async function compressed(bytes: Buffer): Promise<Buffer> {
  if (bytes.byteLength < WORTH_COMPRESSING_BYTES) return bytes;
  const packed = await gzipBytes(bytes);
  if (packed.byteLength >= bytes.byteLength) return bytes;
  return new CompressedMessage(packed) as unknown as Buffer;
}

/**
 * grpc-js's server writes every message with the flag "not compressed" and then copies its bytes in
 * behind the flag and the length ("response compression is currently not supported",
 * server-interceptors.ts). It asks nothing else of what its serializer gives it, so this stands in
 * for a Buffer there, and sets the flag when it is copied.
 */
class CompressedMessage {
  readonly byteLength: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.byteLength = bytes.byteLength;
  }

  copy(target: Buffer, at: number): number {
    target[at - FLAG_BYTES_BEFORE] = 1;
    return this.#bytes.copy(target, at);
  }
}

/** A message on the wire: one byte of flags, four of length, then its bytes. */
const FLAG_BYTES_BEFORE = 5;
