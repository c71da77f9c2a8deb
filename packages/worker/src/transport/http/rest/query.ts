import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { type Findings, MOST_KEPT } from "../../../validate/findings.ts";
import { clip } from "../../../validate/text.ts";
import type { RestBinding } from "./binding.ts";
import { type Json, MOST_NESTED, put } from "./json-text.ts";
import { fieldNamed, kindOfField, unknownField } from "./message-shape.ts";
import { decodedQuery } from "./path-text.ts";
import { hasText, jsonOfText, placeOf, valueAt } from "./url-values.ts";

const LONGEST_NAME = 100;

/**
 * Puts the parameters of a query into the JSON of the request. Fields are named as in the proto or in JSON, and
 * fields of fields with dots between; a field that is repeated may stand there more than once.
 */
export function readQuery(binding: RestBinding, query: string, json: Json, found: Findings): void {
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    if (found.total >= MOST_KEPT) return;
    const equals = pair.indexOf("=");
    const rawName = equals === -1 ? pair : pair.slice(0, equals);
    const name = decodedQuery(rawName);
    const text = equals === -1 ? "" : decodedQuery(pair.slice(equals + 1));
    const before = found.violations.length;
    if (name === undefined || text === undefined) {
      found.add("is not well encoded: expected %XX of UTF-8", "url.encoding");
    } else {
      readParameter(binding, name, text, json, found);
    }
    if (found.violations.length > before) found.locate(before, clip(name ?? rawName, LONGEST_NAME));
  }
}

function readParameter(binding: RestBinding, name: string, text: string, json: Json, found: Findings): void {
  const { body, method } = binding;
  if (body === "*" || hasCustomJsonRepresentation(method.input)) {
    found.add("is not known: this method takes no query parameters", "url.unknown_parameter");
    return;
  }
  const path = fieldsOf(method.input, name, found);
  const field = path?.at(-1);
  if (!path || !field) return;
  if (path[0] === body) {
    found.add(`must not be in the query: the body is ${body.name}`, "url.place");
    return;
  }
  if (field.fieldKind === "map" || !hasText(field) || (field.fieldKind === "list" && field.message)) {
    const help = hasNamedFields(field) ? ": name one of its fields" : "";
    found.add(`is ${kindOfField(field)}, which no query parameter can be${help}`, "url.place");
    return;
  }
  const place = placeOf(json, path);
  if (!place) return;
  const value = jsonOfText(field, text);
  const there = valueAt(place);
  if (field.fieldKind === "list") {
    if (Array.isArray(there)) there.push(value);
    else put(place.parent, place.name, [value]);
  } else if (there !== undefined) {
    found.add("is given more than once, and is not repeated", "url.twice");
  } else {
    put(place.parent, place.name, value);
  }
}

/** The fields that a parameter's name leads through; undefined, and a fault found, where it leads nowhere. */
function fieldsOf(input: DescMessage, name: string, found: Findings): DescField[] | undefined {
  const fields: DescField[] = [];
  let message: DescMessage | undefined = input;
  for (const part of name.split(".", MOST_NESTED + 1)) {
    const last = fields.at(-1);
    if (!message) {
      found.add(
        `is not known: ${last?.name} is ${kindOfField(last)}, without fields here`,
        "url.unknown_parameter",
      );
      return undefined;
    }
    const field = fieldNamed(message, part);
    if (!field || fields.length === MOST_NESTED) {
      found.add(unknownField(message, part), "url.unknown_parameter");
      return undefined;
    }
    fields.push(field);
    message = hasNamedFields(field) ? field.message : undefined;
  }
  return fields;
}

/** Whether a parameter may name fields of the field. */
function hasNamedFields({ fieldKind, message }: DescField): boolean {
  return fieldKind === "message" && message !== undefined && !hasCustomJsonRepresentation(message);
}
