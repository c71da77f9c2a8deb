import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type Status, StatusSchema } from "@gantry/proto/google/rpc/status_pb.js";
import { type Code, codeName } from "./code.ts";
import { httpStatusOf } from "./http-status.ts";
import { Metadata } from "./metadata.ts";

/** A typed detail of an error, as `detail(QuotaFailureSchema, { … })` makes it. */
export interface ErrorDetail<Desc extends DescMessage = DescMessage> {
  readonly schema: Desc;
  readonly value: MessageShape<Desc>;
}

/** Pairs a message with its schema, to travel with an `RpcError`. */
export function detail<Desc extends DescMessage>(schema: Desc, value: MessageShape<Desc>): ErrorDetail<Desc> {
  return { schema, value };
}

/**
 * How a call fails: a status code, a message for the caller, and typed details that travel in
 * `grpc-status-details-bin`. A handler throws it; a client catches it.
 *
 * ```ts
 * throw new RpcError(Code.NotFound, `No person is called ${name}.`);
 * ```
 */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: Code;
  /** Trailers to send beside the status. */
  readonly metadata: Metadata;
  /** What it is over HTTP. */
  readonly httpStatus: number;
  readonly #details: readonly Any[];

  constructor(
    code: Code,
    message: string,
    details: readonly (ErrorDetail | Any)[] = [],
    options: { metadata?: Metadata; cause?: unknown; httpStatus?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.metadata = options.metadata ?? new Metadata();
    this.httpStatus = options.httpStatus ?? httpStatusOf(code);
    this.#details = details.map((item) => ("schema" in item ? anyPack(item.schema, item.value) : item));
  }

  /** The details of one type, decoded. A detail of that type whose bytes are broken is left out. */
  details<Desc extends DescMessage>(schema: Desc): MessageShape<Desc>[] {
    const found: MessageShape<Desc>[] = [];
    for (const any of this.#details) {
      if (any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1) !== schema.typeName) continue;
      try {
        const value = anyUnpack(any, schema);
        if (value) found.push(value);
      } catch {
        // What a peer sent as detail is not worth a second error on top of the one it explains.
      }
    }
    return found;
  }

  /** This error as the message that travels with it. */
  toStatus(): Status {
    return create(StatusSchema, { code: this.code, message: this.message, details: [...this.#details] });
  }

  /** The value of the trailer `grpc-status-details-bin`, or undefined where there are no details. */
  detailsBinary(): Uint8Array | undefined {
    return this.#details.length === 0 ? undefined : toBinary(StatusSchema, this.toStatus());
  }

  /** The error that a peer's status, message and `grpc-status-details-bin` tell of. */
  static fromWire(code: Code, message: string, detailsBinary?: Uint8Array, metadata?: Metadata): RpcError {
    let details: readonly Any[] = [];
    if (detailsBinary) {
      try {
        details = fromBinary(StatusSchema, detailsBinary).details;
      } catch {
        // Broken details do not hide the status that they came with.
      }
    }
    return new RpcError(code, message, details, metadata ? { metadata } : {});
  }

  override toString(): string {
    return `${this.name}: ${codeName(this.code)}: ${this.message}`;
  }
}
