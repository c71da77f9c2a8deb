import { createRegistry, type JsonObject, type JsonValue, type Registry, toJson } from "@bufbuild/protobuf";
import { type Any, anyUnpack, hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { file_google_rpc_error_details } from "@gantry/proto/google/rpc/error_details_pb.js";
import type { RpcError } from "@gantry/rpc";

let errorDetails: Registry | undefined;

/**
 * The error as `google.rpc.Status` in JSON: `{"code":5,"message":"…","details":[{"@type":"…", …}]}`. A detail whose
 * type is not known, or whose bytes are not of it, has its bytes as base64 in `value`.
 *
 * @param types of details beside those of google.rpc, as `RestRouter.types` gives them
 */
export function statusJson(error: RpcError, types?: () => Registry): string {
  const { code, message, details } = error.toStatus();
  return JSON.stringify({ code, message, details: details.map((any) => detailJson(any, types)) });
}

function detailJson(any: Any, types: (() => Registry) | undefined): JsonObject {
  errorDetails ??= createRegistry(file_google_rpc_error_details);
  const name = any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);
  const known = errorDetails.getMessage(name) ?? types?.().getMessage(name);
  try {
    const message = known && anyUnpack(any, known);
    if (known && message) {
      const json: JsonValue = types ? toJson(known, message, { registry: types() }) : toJson(known, message);
      if (hasCustomJsonRepresentation(known)) return { "@type": any.typeUrl, value: json };
      // A message without a JSON of its own is an object.
      return { "@type": any.typeUrl, ...(json as JsonObject) };
    }
  } catch {
    // The error that the detail explains is worth more than the detail.
  }
  return { "@type": any.typeUrl, value: Buffer.from(any.value).toString("base64") };
}
