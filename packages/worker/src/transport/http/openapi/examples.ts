import { type DescField, type DescMessage, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { Schema } from "./documents.ts";
import { constraintsOf, givenExample, rulesOf } from "./rules.ts";

/** Deeper examples say no more. */
const MOST_DEEP = 3;

/** Where an example stands, and what it leaves out. */
export interface Around {
  /** The types that it stands in: none of them is told in itself once more. */
  readonly above: readonly DescMessage[];
  /** What stands before its fields' names in the proto: `book.`. */
  readonly path: string;
  /** The paths of fields that have another place. */
  readonly elsewhere: ReadonlySet<string>;
}

export const ALONE: Around = { above: [], path: "", elsewhere: new Set() };

/** A message as it may be; undefined where none is known that keeps to the rules. */
export function exampleOfMessage(desc: DescMessage, around = ALONE): JsonValue | undefined {
  if (hasCustomJsonRepresentation(desc)) return wellKnownExample(desc);
  if (around.above.includes(desc) || around.above.length === MOST_DEEP) return undefined;
  const inside = { ...around, above: [...around.above, desc] };
  const example: Record<string, JsonValue> = {};
  for (const field of desc.fields) {
    // Of a oneof one field is set.
    if (field.oneof && field.oneof.fields[0] !== field) continue;
    if (around.elsewhere.has(around.path + field.name)) continue;
    const value = exampleOfField(field, inside);
    if (value !== undefined) example[field.jsonName] = value;
    else if (rulesOf(field)) return undefined;
  }
  return example;
}

/** Undefined where none is known that keeps to the field's rules. */
export function exampleOfField(field: DescField, around = ALONE): JsonValue | undefined {
  const rules = rulesOf(field);
  const constraints = rules ? constraintsOf(rules) : {};
  if (field.fieldKind === "list") {
    const items = rules?.type.case === "repeated" ? rules.type.value.items : undefined;
    const item = single(field, items ? constraintsOf(items) : {}, around);
    return item === undefined || (constraints.minItems ?? 0) > 1 ? undefined : [item];
  }
  if (field.fieldKind === "map") {
    const value = rules ? undefined : single(field, {}, around);
    return value === undefined ? undefined : { [keyExample(field.mapKey)]: value };
  }
  const given = rules && givenExample(rules);
  if (typeof given === "string" || typeof given === "number" || typeof given === "boolean") return given;
  return typeof given === "bigint" ? String(given) : single(field, constraints, around);
}

function single(field: DescField, constraints: Schema, around: Around): JsonValue | undefined {
  if (field.message) {
    return exampleOfMessage(field.message, { ...around, path: `${around.path}${field.name}.` });
  }
  if (field.enum) return (field.enum.values[1] ?? field.enum.values[0])?.name;
  return scalarExample(field.scalar, field.name, constraints);
}

function scalarExample(scalar: ScalarType, name: string, constraints: Schema): JsonValue | undefined {
  switch (scalar) {
    case ScalarType.STRING:
      return textExample(name, constraints);
    case ScalarType.BOOL:
      return true;
    case ScalarType.BYTES:
      return "AQID";
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return constraints.description === undefined ? "7" : undefined;
    default:
      return numberExample(constraints);
  }
}

function numberExample({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): number | undefined {
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  const greatest = maximum ?? (exclusiveMaximum === undefined ? undefined : exclusiveMaximum - 1);
  const value = Math.min(Math.max(7, least ?? 7), greatest ?? Number.POSITIVE_INFINITY);
  return least === undefined || value >= least ? value : undefined;
}

const FORMATS: Readonly<Record<string, string>> = {
  email: "someone@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  uuid: "5f0c1f5e-7a0b-4b6e-9d0e-2f3c4a5b6c7d",
};

function textExample(name: string, constraints: Schema): string | undefined {
  const { const: only, enum: some, format, minLength = 0, maxLength = 64, pattern } = constraints;
  if (typeof only === "string") return only;
  if (typeof some?.[0] === "string") return some[0];
  const text = (format ? FORMATS[format] : undefined) ?? `a ${name.replaceAll("_", " ")}`;
  if (text.length < minLength || text.length > maxLength) return undefined;
  return pattern === undefined || new RegExp(pattern, "u").test(text) ? text : undefined;
}

function keyExample(mapKey: ScalarType): string {
  if (mapKey === ScalarType.STRING) return "key";
  return mapKey === ScalarType.BOOL ? "true" : "7";
}

function wellKnownExample(desc: DescMessage): JsonValue | undefined {
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return "2026-01-31T12:00:00Z";
    case "google.protobuf.Duration":
      return "1.500s";
    case "google.protobuf.Struct":
      return { key: "value" };
    case "google.protobuf.Value":
      return "value";
    case "google.protobuf.ListValue":
      return ["value"];
    default:
      // What is in a mask or an Any depends on what they are for.
      return isWrapperDesc(desc) ? scalarExample(desc.fields[0].scalar, "value", {}) : undefined;
  }
}
