/** What a call is, and what becomes of it, whichever protocol it is made by. */
import {
  create,
  createRegistry,
  type DescMethod,
  type JsonObject,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { file_google_rpc_error_details } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { codeName } from "@gantry/rpc";

export type Kind = DescMethod["methodKind"];

/** A call to be made. */
export interface Asked {
  /** Such as `math.v1.Math/Sum`. */
  readonly method: string;
  /** Protobuf's JSON of every request. */
  readonly requests: readonly JsonObject[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** What came of a call. */
export interface Outcome {
  /** Protobuf's JSON, with fields that are zero. */
  readonly replies: readonly JsonValue[];
  /** `INVALID_ARGUMENT`; `OK` where the call did not fail. */
  readonly code: string;
  readonly message: string;
  /** Protobuf's JSON, each with its type under `@type`. */
  readonly details: readonly JsonValue[];
  /** Headers and trailers, as far as the protocol shows them. */
  readonly metadata: Readonly<Record<string, string>>;
  /** HTTP's status, where it is for clients to see. */
  readonly httpStatus?: number;
}

/** Where the worker of a method's service is: `127.0.0.1:40123`. */
export type AddressOf = (method: string) => string;

/** A client of one protocol. */
export interface Protocol extends Disposable {
  /** As metrics and logs name it. */
  readonly name: string;
  /** The kinds of call that it has. */
  readonly kinds: ReadonlySet<Kind>;
  call(asked: Asked): Promise<Outcome>;
}

const METHODS = new Map(
  [Greeter, MathService]
    .flatMap((service): readonly DescMethod[] => service.methods)
    .map((method) => [`${method.parent.typeName}/${method.name}`, method]),
);

export const ALL_KINDS: ReadonlySet<Kind> = new Set([
  "unary",
  "server_streaming",
  "client_streaming",
  "bidi_streaming",
]);

/** The contract of a method. One that there is not looks like `SayHello`. */
export function contractOf(method: string): DescMethod {
  return METHODS.get(method) ?? { ...Greeter.method.sayHello, name: method.replace(/.*\//, "") };
}

export const streamsRequests = ({ methodKind }: DescMethod) =>
  methodKind === "client_streaming" || methodKind === "bidi_streaming";

export const streamsReplies = ({ methodKind }: DescMethod) =>
  methodKind === "server_streaming" || methodKind === "bidi_streaming";

/** `google.rpc.Status`, in JSON. */
export interface StatusJson {
  readonly code: number;
  readonly message: string;
  readonly details: readonly JsonValue[];
}

export const OK: StatusJson = { code: 0, message: "", details: [] };

export function outcome(
  replies: readonly JsonValue[],
  { code, message, details }: StatusJson,
  metadata: Readonly<Record<string, string>> = {},
): Outcome {
  return { replies, code: codeName(code), message, details, metadata };
}

const DETAILS = createRegistry(file_google_rpc_error_details);

/** @param type such as `google.rpc.BadRequest` */
export function detailJson(type: string, value: Uint8Array): JsonValue {
  const any = create(AnySchema, { typeUrl: `type.googleapis.com/${type}`, value });
  return toJson(AnySchema, any, { registry: DETAILS });
}
