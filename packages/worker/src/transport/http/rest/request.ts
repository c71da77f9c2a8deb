/**
 * # What a REST request says
 *
 * Body, query and path each hold a part of the request message. They are put together as JSON first, so that the
 * message is read, and all that is wrong with it told, at once.
 *
 * A field has one place: the path's fields are in the path, the body's in the body, and the query has the rest.
 * A client that sends a resource back as it got it repeats the path's fields in the body; that is taken where both
 * say the same, or the body says nothing but the default, and is refused where they differ. Where the body is
 * mapped but not sent, it says nothing.
 *
 * Each function throws RpcError INVALID_ARGUMENT with one BadRequest; fields are named there by their paths in the
 * proto, as validation names them.
 */
import { type DescField, type Message, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { badRequest, Code, RpcError } from "@gantry/rpc";
import { Findings } from "../../../validate/findings.ts";
import type { PathVariable, RestBinding } from "./binding.ts";
import { messageOf } from "./json-message.ts";
import { type Json, JsonFault, type JsonObject, parseJson, put } from "./json-text.ts";
import { decodedCapture } from "./path-text.ts";
import { readQuery } from "./query.ts";
import type { Capture } from "./router.ts";
import { jsonOfText, placeOf, valueAt } from "./url-values.ts";

/**
 * The one message of a unary call or of a server stream.
 *
 * @param query as it came, without the question mark
 * @param body undefined or "": there is none
 */
export function readRequest(
  binding: RestBinding,
  captures: readonly Capture[],
  query: string,
  body: string | undefined,
): Message {
  return withUrl(binding, bodyJson(binding, body, "The body"), captures, query);
}

/**
 * One message of a client's stream: a line of newline-delimited JSON. What path and query say holds for each.
 *
 * @param text JSON of what the binding has in the body: the message, or one field of it
 */
export function readMessage(
  binding: RestBinding,
  text: string,
  captures: readonly Capture[] = [],
  query = "",
): Message {
  return withUrl(binding, bodyJson(binding, text, "The message"), captures, query);
}

/** The messages of a client's stream that came as one JSON list. */
export function readArray(
  binding: RestBinding,
  text: string,
  captures: readonly Capture[] = [],
  query = "",
): Message[] {
  if (text === "") return [];
  const list = parsed(text, "The body", "");
  if (!Array.isArray(list)) throw refused("The body", "", "expected a list of messages");
  return list.map((item, index) => withUrl(binding, bodyOf(binding, item), captures, query, `[${index}]`));
}

/** @param where what the paths of violations begin with */
function withUrl(
  binding: RestBinding,
  json: Json,
  captures: readonly Capture[],
  query: string,
  where = "",
): Message {
  const found = new Findings();
  if (query !== "") readQuery(binding, query, json, found);
  for (const capture of captures) readCapture(capture, json, found);
  return messageOf(binding.method.input, json, found, { types: binding.requestTypes, where });
}

function bodyJson(binding: RestBinding, text: string | undefined, what: string): Json {
  if (text === undefined || text === "") return {};
  if (binding.body === "none") throw refused(what, "", `${binding.httpMethod} takes none here`);
  return bodyOf(binding, parsed(text, what, typeof binding.body === "object" ? binding.body.name : ""));
}

/** The JSON of the request as far as the body knows it. */
function bodyOf({ body }: RestBinding, json: Json): Json {
  if (typeof body !== "object") return json;
  const request: JsonObject = {};
  put(request, body.jsonName, json);
  return request;
}

function parsed(text: string, what: string, field: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw refused(what, field, `it is no JSON: ${error.message}`);
  }
}

function refused(what: string, field: string, why: string): RpcError {
  const violation = { field, description: why, reason: "json.syntax" };
  return new RpcError(Code.InvalidArgument, `${what} cannot be read: ${why}.`, [badRequest([violation])]);
}

function readCapture({ variable, raw }: Capture, json: Json, found: Findings): void {
  const before = found.violations.length;
  const text = decodedCapture(raw, variable.multiple);
  if (text === undefined) found.add("is not well encoded in the path: expected %XX of UTF-8", "url.encoding");
  else place(variable, text, json, found);
  if (found.violations.length > before) found.locate(before, variable.fieldPath);
}

function place({ fields }: PathVariable, text: string, json: Json, found: Findings): void {
  const place = placeOf(json, fields);
  const field = fields.at(-1);
  // Where the path leads through what is no object, reading the message finds that.
  if (!place || !field) return;
  const there = valueAt(place);
  if (
    there !== undefined &&
    (typeof there === "object" || String(there) !== text) &&
    !isDefault(field, there)
  ) {
    found.add("differs from what the path says: expected it in the path only", "url.place");
    return;
  }
  put(place.parent, place.name, jsonOfText(field, text));
}

/** Whether a field without presence is at its default, which is the same as not to be there. */
function isDefault({ presence, scalar, enum: descEnum }: DescField, json: Json): boolean {
  if (presence !== FeatureSet_FieldPresence.IMPLICIT) return false;
  if (descEnum) return json === 0 || json === descEnum.values[0]?.name;
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return json === "";
  return json === 0 || json === "0" || json === false;
}
