import { type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { Findings } from "../../../validate/findings.ts";
import { readScalar, told, wrongType } from "./json-scalars.ts";
import { fitting, isJsonObject, type Json, type JsonObject, put } from "./json-text.ts";

type Read = (desc: DescMessage, json: Json, found: Findings) => JsonValue;

const DURATION = /^-?([0-9]{1,12})(?:\.[0-9]{1,9})?s$/;
const LONGEST_DURATION_S = 315_576_000_000;

/** Reads the types whose JSON is not that of their fields. @param readAny reads `google.protobuf.Any` */
export function readWellKnown(desc: DescMessage, json: Json, found: Findings, readAny: Read): JsonValue {
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return readTextOf(desc, "a time such as 2026-01-31T12:00:00Z", json, found);
    case "google.protobuf.FieldMask":
      return readTextOf(desc, "paths in lowerCamelCase with commas between", json, found);
    case "google.protobuf.Duration":
      return readDuration(json, found);
    case "google.protobuf.Any":
      return readAny(desc, json, found);
    case "google.protobuf.Struct":
      return isJsonObject(json) ? readFree(json, found) : wrongType("an object", json, found);
    case "google.protobuf.ListValue":
      return Array.isArray(json) ? readFree(json, found) : wrongType("a list", json, found);
    case "google.protobuf.Value":
      return readFree(json, found);
    default:
      // What is left are the wrappers of scalars.
      if (isWrapperDesc(desc)) return readScalar(desc.fields[0].scalar, json, found);
      throw new TypeError(`${desc.typeName} is no well-known type with a JSON of its own.`);
  }
}

function readTextOf(desc: DescMessage, expected: string, json: Json, found: Findings): JsonValue {
  if (typeof json !== "string") return wrongType(expected, json, found);
  try {
    fromJson(desc, json);
  } catch {
    found.add(`must be ${expected}, but is ${told(json)}`, "json.value");
  }
  return json;
}

function readDuration(json: Json, found: Findings): JsonValue {
  if (typeof json !== "string") return wrongType("a duration such as 1.5s", json, found);
  const seconds = DURATION.exec(json)?.[1];
  if (seconds === undefined) found.add(`must be a duration such as 1.5s, but is ${told(json)}`, "json.value");
  else if (Number(seconds) > LONGEST_DURATION_S) {
    found.add(
      `must be a duration of at most ${LONGEST_DURATION_S}s either way, but is ${json}`,
      "json.range",
    );
  }
  return json;
}

/** JSON for `google.protobuf.Value`, which knows no numbers but doubles. Made to fit where it stands. */
function readFree(json: Json, found: Findings): JsonValue {
  if (typeof json === "object" && json !== null) {
    const parts: Json[] | JsonObject = json;
    if (Array.isArray(parts)) for (const [at, item] of parts.entries()) parts[at] = readFree(item, found);
    else for (const [name, part] of Object.entries(parts)) put(parts, name, readFree(part, found));
    return fitting(parts);
  }
  if (typeof json === "string" && !json.isWellFormed()) {
    found.add("holds half of a surrogate pair, which is no Unicode", "json.unicode");
  }
  if (typeof json !== "number" && typeof json !== "bigint") return json;
  const number = Number(json);
  if (!Number.isFinite(number)) found.add("holds a number that is greater than a double", "json.range");
  return number;
}
