import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { isJsonObject, type Json, type JsonObject, put } from "./json-text.ts";

const FIELD_MASK = "google.protobuf.FieldMask";
const TEXTUAL = new Set(["google.protobuf.Timestamp", "google.protobuf.Duration", FIELD_MASK]);

/** Whether there is a text that stands for the field's value, or for an item of it. */
export function hasText({ message }: DescField): boolean {
  return !message || isWrapperDesc(message) || TEXTUAL.has(message.typeName);
}

/** The JSON of a value that a URL writes as text. Whether it fits its field is seen when the message is read. */
export function jsonOfText(field: DescField, text: string): Json {
  if (field.enum) return /^-?[0-9]{1,10}$/.test(text) ? Number(text) : text;
  const { message } = field;
  // The names in a mask may be written as in the proto, as the names of parameters may.
  if (message?.typeName === FIELD_MASK) {
    return text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  }
  const scalar = message && isWrapperDesc(message) ? message.fields[0].scalar : field.scalar;
  if (scalar === ScalarType.BOOL && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** Where a field stands in the JSON of a request: in which object, by which of its two names. */
export interface Place {
  readonly parent: JsonObject;
  readonly name: string;
}

/**
 * The place of the field at the end of the path. Messages on the way that are not there are put there;
 * undefined where something else stands in their place.
 */
export function placeOf(root: Json, path: readonly DescField[]): Place | undefined {
  let parent = root;
  let place: Place | undefined;
  for (const field of path) {
    if (place) {
      if (valueAt(place) === undefined) put(place.parent, place.name, {});
      parent = valueAt(place) ?? null;
    }
    if (!isJsonObject(parent)) return undefined;
    place = { parent, name: nameIn(parent, field) };
  }
  return place;
}

/** What stands there already; null stands for nothing. */
export function valueAt({ parent, name }: Place): Json | undefined {
  return Object.hasOwn(parent, name) ? (parent[name] ?? undefined) : undefined;
}

function nameIn(object: JsonObject, { name, jsonName }: DescField): string {
  return Object.hasOwn(object, name) && !Object.hasOwn(object, jsonName) ? name : jsonName;
}
