import {
  createRegistry,
  type DescFile,
  type DescMessage,
  type DescService,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { file_google_rpc_error_details } from "@gantry/proto/google/rpc/error_details_pb.js";
import { badRequest, Code, RpcError } from "@gantry/rpc";

/** Messages as protobuf's JSON, for those who call without protobuf. */
export interface JsonCodec {
  /** @throws RpcError INVALID_ARGUMENT that says what is wrong with it */
  read(schema: DescMessage, json: unknown): Message;
  /** Fields that are zero are there too. */
  write(schema: DescMessage, message: Message): JsonValue;
  /** An error as google.rpc.Status. A detail of a type that nobody here knows is bytes under `value`. */
  status(error: RpcError): StatusJson;
}

export interface StatusJson extends JsonObject {
  code: number;
  message: string;
  /** Each with its type under `@type`. */
  details: JsonValue[];
}

/** @param services know the types that may stand in an Any */
export function createJsonCodec(services: readonly DescService[]): JsonCodec {
  const registry = registryOf(services.map(({ file }) => file));
  return {
    read(schema, json) {
      try {
        // What is no JSON, such as undefined or bytes, fromJson refuses.
        return fromJson(schema, json as JsonValue, { registry });
      } catch (error) {
        throw invalid(schema, error);
      }
    },
    write: (schema, message) => toJson(schema, message, { registry, alwaysEmitImplicit: true }),
    status(error) {
      const { code, message, details } = error.toStatus();
      return { code, message, details: details.map((any) => detailJson(any, registry)) };
    },
  };
}

function detailJson(any: Any, registry: Registry): JsonValue {
  try {
    return toJson(AnySchema, any, { registry });
  } catch {
    return { "@type": any.typeUrl, value: Buffer.from(any.value).toString("base64") };
  }
}

/** Everything that the files and those that they import declare. */
function registryOf(files: readonly DescFile[]): Registry {
  const all = new Set<DescFile>();
  const add = (file: DescFile) => {
    if (all.has(file)) return;
    all.add(file);
    file.dependencies.forEach(add);
  };
  [file_google_rpc_error_details, ...files].forEach(add);
  return createRegistry(...all);
}

function invalid(schema: DescMessage, error: unknown): RpcError {
  const description = error instanceof Error ? error.message : String(error);
  const field = isFieldError(error) ? error.field().name : "";
  return new RpcError(Code.InvalidArgument, `${schema.name} is not valid: ${description}.`, [
    badRequest([{ field, description, reason: "json" }]),
  ]);
}
