/**
 * # A message's JSON, held to its type
 *
 * protobuf-es reads JSON too, but stops at the first fault, in words that are for programmers, and is lenient in
 * places (`"0x10"` is a number to it, `"1sec"` a duration). So each value is first held to its field here, which
 * finds all faults with the fields' paths; protobuf-es then makes the message of JSON that is known to fit.
 */
import {
  type DescField,
  type DescMessage,
  type DescOneof,
  fromJson,
  type JsonValue,
  type Message,
  type Registry,
  ScalarType,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { RpcError } from "@gantry/rpc";
import { entryPath } from "../../../validate/collections.ts";
import { type Findings, MOST_KEPT } from "../../../validate/findings.ts";
import { invalidArgument } from "../../../validate/invalid-argument.ts";
import { clip } from "../../../validate/text.ts";
import { readEnum, readScalar, told, wrongType } from "./json-scalars.ts";
import { fitting, isJsonObject, type Json, type JsonObject, MOST_NESTED, put } from "./json-text.ts";
import { readWellKnown } from "./json-well-known.ts";
import { fieldNamed, unknownField } from "./message-shape.ts";

const LONGEST_NAME = 100;

/**
 * The message that the JSON tells of. The JSON is changed to fit.
 *
 * @param found what was wrong already, to be told together with what is wrong here
 * @throws RpcError INVALID_ARGUMENT with every violation at once
 */
export function messageOf(
  desc: DescMessage,
  json: Json,
  found: Findings,
  { types, where }: ReadOptions,
): Message {
  const read = new MessageReader(found, types).message(desc, json);
  if (found.total > 0) throw refused(desc, found, where);
  // One list of JSON can be two messages deep: a `google.protobuf.Value` and its `ListValue`.
  const recursionLimit = 2 * MOST_NESTED + 2;
  try {
    return fromJson(desc, read, types ? { recursionLimit, registry: types() } : { recursionLimit });
  } catch (error) {
    // What is only seen here: keys of a map that are one number, written in two ways.
    found.add(error instanceof Error ? error.message : String(error), "json.value");
    throw refused(desc, found, where);
  }
}

export interface ReadOptions {
  /** What a `google.protobuf.Any` may hold; undefined where the type holds none. */
  readonly types: (() => Registry) | undefined;
  /** Where the message stands, if it does not stand alone: `[3]`. */
  readonly where: string;
}

function refused(desc: DescMessage, found: Findings, where: string): RpcError {
  if (where !== "") found.locate(0, where);
  return invalidArgument(desc, found);
}

/** Holds JSON to types. Each method gives JSON that fits, or adds to what was found. */
class MessageReader {
  readonly #found: Findings;
  readonly #types: ReadOptions["types"];

  constructor(found: Findings, types: ReadOptions["types"]) {
    this.#found = found;
    this.#types = types;
  }

  message(desc: DescMessage, json: Json): JsonValue {
    if (hasCustomJsonRepresentation(desc)) {
      return readWellKnown(desc, json, this.#found, (_, any) => this.#any(any));
    }
    if (!isJsonObject(json)) return wrongType("an object", json, this.#found);
    const given = new Map<DescField | DescOneof, string>();
    for (const name of Object.keys(json)) {
      if (this.#found.total >= MOST_KEPT) break;
      const field = fieldNamed(desc, name);
      if (field) this.#named(field, name, json, given);
      else this.#fault(clip(name, LONGEST_NAME), unknownField(desc, name), "json.unknown_field");
    }
    return fitting(json);
  }

  #named(field: DescField, name: string, json: JsonObject, given: Map<DescField | DescOneof, string>): void {
    const value = json[name] ?? null;
    const twin = given.get(field);
    if (twin !== undefined) this.#fault(field.name, `is given twice, as ${twin} and ${name}`, "json.twice");
    given.set(field, name);
    if (value === null && !takesNull(field)) {
      delete json[name];
      return;
    }
    if (field.oneof) {
      const rival = given.get(field.oneof);
      if (rival !== undefined) {
        this.#fault(
          field.name,
          `cannot stand beside ${rival}: at most one field of ${field.oneof.name} may`,
          "json.oneof",
        );
      }
      given.set(field.oneof, name);
    }
    const before = this.#found.violations.length;
    const read = this.#field(field, value);
    if (this.#found.violations.length > before) this.#found.locate(before, field.name);
    else if (read !== value) put(json, name, read);
  }

  #field(field: DescField, json: Json): JsonValue {
    if (field.fieldKind === "list") {
      if (!Array.isArray(json)) return wrongType("a list", json, this.#found);
      for (let index = 0; index < json.length && this.#found.total < MOST_KEPT; index += 1) {
        const before = this.#found.violations.length;
        json[index] = this.#single(field, json[index] ?? null);
        if (this.#found.violations.length > before) this.#found.locate(before, `[${index}]`);
      }
      return fitting(json);
    }
    if (field.fieldKind !== "map") return this.#single(field, json);
    if (!isJsonObject(json)) return wrongType("an object", json, this.#found);
    for (const [key, value] of Object.entries(json)) {
      if (this.#found.total >= MOST_KEPT) break;
      const before = this.#found.violations.length;
      readScalar(field.mapKey, keyJson(field.mapKey, key), this.#found);
      put(json, key, this.#single(field, value));
      if (this.#found.violations.length > before) this.#found.locate(before, entryPath(field.mapKey, key));
    }
    return fitting(json);
  }

  #single(field: DescField, json: Json): JsonValue {
    if (field.message) return this.message(field.message, json);
    if (field.enum) return readEnum(field.enum, json, this.#found);
    return readScalar(field.scalar, json, this.#found);
  }

  #any(json: Json): JsonValue {
    if (!isJsonObject(json)) return wrongType('an object with "@type"', json, this.#found);
    const names = Object.keys(json);
    if (names.length === 0) return fitting(json);
    const { "@type": url, ...rest } = json;
    const name = typeof url === "string" ? url.slice(url.lastIndexOf("/") + 1) : "";
    const desc = this.#types?.().getMessage(name);
    if (!desc) {
      const what = typeof url === "string" ? told(url) : "missing";
      this.#fault("@type", `must name a message type of this service, but is ${what}`, "json.any");
      return null;
    }
    const read = hasCustomJsonRepresentation(desc)
      ? { value: this.message(desc, rest.value ?? null) }
      : this.message(desc, rest);
    // What is read of an object's fields is an object.
    return { ...(read as Record<string, JsonValue> | null), "@type": `type.googleapis.com/${desc.typeName}` };
  }

  #fault(path: string, description: string, reason: string): void {
    const before = this.#found.violations.length;
    this.#found.add(description, reason);
    this.#found.locate(before, path);
  }
}

/** JSON has only text for keys. */
function keyJson(mapKey: ScalarType, key: string): Json {
  return mapKey === ScalarType.BOOL && (key === "true" || key === "false") ? key === "true" : key;
}

/** null leaves a field as it is, but for the two types of which it is a value. */
function takesNull({ fieldKind, message, enum: descEnum }: DescField): boolean {
  if (fieldKind === "list" || fieldKind === "map") return false;
  return message?.typeName === "google.protobuf.Value" || descEnum?.typeName === "google.protobuf.NullValue";
}
