import { type JsonWriteOptions, type Message, toJson } from "@bufbuild/protobuf";
import type { RestBinding } from "./binding.ts";

/**
 * The JSON of a response, or of the field that the binding has as its body.
 *
 * Fields that hold their default are written too: a client in another language sees `{"val":0}` rather than `{}`,
 * whether or not it knows the proto. Fields that know presence are left out where they are not set.
 *
 * @throws Error where the message has no JSON, as for a `google.protobuf.Any` of a type that is not known
 */
export function writeResponse(binding: RestBinding, message: Message): string {
  const { method, responseBody, responseTypes } = binding;
  const options: Partial<JsonWriteOptions> = { alwaysEmitImplicit: true };
  if (responseTypes) options.registry = responseTypes();
  const json = toJson(method.output, message, options);
  if (!responseBody) return JSON.stringify(json);
  // A field cannot be the body of a type whose JSON is no object: such types have no annotation that names one.
  const fields = json as Readonly<Record<string, unknown>>;
  return JSON.stringify(fields[responseBody.jsonName] ?? null);
}
