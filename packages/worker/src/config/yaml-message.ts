/**
 * # Configuration as protobuf messages
 *
 * What a configuration file may say is what a message of protobuf holds: its descriptor knows the
 * fields and their types, and this walks a YAML value along it. What does not fit is reported with
 * its line, all of it, rather than thrown at the first.
 *
 * Values are written as in protobuf's JSON, but by their own kind only (no numbers in quotes), and
 * durations also as `500ms`, `2m` or `1h`.
 */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { parseDurationMs } from "@gantry/rpc";
import type { Report, YamlEntry, YamlNode } from "./yaml-file.ts";

/** The message that a YAML value tells of; undefined where anything in it does not fit, which is reported. */
export function messageOf<Desc extends DescMessage>(
  schema: Desc,
  what: string,
  node: YamlNode,
  report: Report,
): MessageShape<Desc> | undefined {
  let fits = true;
  const json = jsonOfMessage(schema, what, node, (line, problem) => {
    fits = false;
    report(line, problem);
  });
  if (!fits) return undefined;
  try {
    return fromJson(schema, json);
  } catch (error) {
    // Values were tried one by one; what is left are keys of maps that are not of their type.
    report(node.line, `${what} does not fit: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/**
 * The fields of a message that a mapping gives, by their names in the proto or in JSON. Reported are
 * what is no mapping, keys that are no field, and fields that cannot stand together.
 */
export function fieldsOf(schema: DescMessage, what: string, node: YamlNode, report: Report): FieldEntry[] {
  const known = schema.fields.map(({ name }) => name).join(", ");
  if (node.kind !== "mapping") {
    report(node.line, `${what} is ${foundOf(node)}: expected a mapping with ${known}`);
    return [];
  }
  const given: FieldEntry[] = [];
  for (const entry of node.entries) {
    const { key, line } = entry;
    const field = schema.fields.find(({ name, jsonName }) => name === key || jsonName === key);
    if (!field) {
      const found = node.secret ? "a field that is not known" : `no field ${JSON.stringify(key)}`;
      report(line, `${what} has ${found}: expected one of ${known}`);
      continue;
    }
    const rival = given.find(
      ({ field: other }) => other === field || (field.oneof && other.oneof === field.oneof),
    );
    if (rival) {
      report(
        line,
        `${what} has ${rival.entry.key} and ${key}, which exclude each other: expected one of them`,
      );
      continue;
    }
    given.push({ field, entry });
  }
  return given;
}

export interface FieldEntry {
  readonly field: DescField;
  readonly entry: YamlEntry;
}

// What follows gives JSON for what fits. Each value is tried by itself, so the whole is known to fit.

function jsonOfMessage(schema: DescMessage, what: string, node: YamlNode, report: Report): JsonValue {
  if (schema.typeName === DurationSchema.typeName) return jsonOfDuration(what, node, report);
  if (schema.typeName.startsWith("google.protobuf.")) return jsonOfWellKnown(schema, what, node, report);
  const json: JsonObject = {};
  for (const { field, entry } of fieldsOf(schema, what, node, report)) {
    const value = jsonOfField(field, `${what}.${field.name}`, entry.value, report);
    if (value !== undefined) json[field.name] = value;
  }
  return json;
}

function jsonOfField(field: DescField, what: string, node: YamlNode, report: Report): JsonValue | undefined {
  if (field.fieldKind === "list") {
    if (node.kind === "list") {
      return node.items.flatMap((item, index) => {
        const json = jsonOfSingle(field, `${what}[${index}]`, item, report, (one) => [one]);
        return json === undefined ? [] : [json];
      });
    }
    report(node.line, `${what} is ${foundOf(node)}: expected a list`);
    return undefined;
  }
  if (field.fieldKind === "map") {
    if (node.kind === "mapping") {
      return Object.fromEntries(
        node.entries.flatMap(({ key, value }) => {
          const json = jsonOfSingle(field, `${what}.${key}`, value, report, (one) => ({ [key]: one }));
          return json === undefined ? [] : [[key, json]];
        }),
      );
    }
    report(node.line, `${what} is ${foundOf(node)}: expected a mapping`);
    return undefined;
  }
  return jsonOfSingle(field, what, node, report, (one) => one);
}

/** One value of a field. @param alone gives the field's JSON where it holds this value only */
function jsonOfSingle(
  field: DescField,
  what: string,
  node: YamlNode,
  report: Report,
  alone: (json: JsonValue) => JsonValue,
): JsonValue | undefined {
  if (field.message) return jsonOfMessage(field.message, what, node, report);
  if (node.kind === "scalar" && node.value !== null && (typeof node.value === "string") === isText(field)) {
    const json = plainJson(node);
    if (accepts(field.parent, { [field.name]: alone(json) })) return json;
  }
  report(node.line, `${what} is ${foundOf(node)}: expected ${expectedOf(field)}`);
  return undefined;
}

function jsonOfDuration(what: string, node: YamlNode, report: Report): JsonValue {
  const text = node.kind === "scalar" && typeof node.value === "string" ? node.value : "";
  const ms = parseDurationMs(text);
  const json = ms === undefined ? undefined : `${(ms / 1_000).toFixed(9)}s`;
  if (json !== undefined && accepts(DurationSchema, json)) return json;
  report(node.line, `${what} is ${foundOf(node)}: expected a duration such as 500ms, 2s, 1m or 1h`);
  return "0s";
}

/** Timestamps, wrappers, structs and the like are one value in JSON, and so they are here. */
function jsonOfWellKnown(schema: DescMessage, what: string, node: YamlNode, report: Report): JsonValue {
  const json = plainJson(node);
  if (!accepts(schema, json)) {
    report(
      node.line,
      `${what} is ${foundOf(node)}: expected ${schema.typeName} as protobuf's JSON writes it`,
    );
  }
  return json;
}

function plainJson(node: YamlNode): JsonValue {
  switch (node.kind) {
    case "list":
      return node.items.map(plainJson);
    case "mapping":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainJson(value)]));
    case "scalar":
      if (typeof node.value !== "bigint") return node.value;
      // JSON of protobuf writes whole numbers that a double cannot hold as text.
      return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : String(node.value);
  }
}

function accepts(schema: DescMessage, json: JsonValue): boolean {
  try {
    fromJson(schema, json);
    return true;
  } catch {
    return false;
  }
}

function isText(field: DescField): boolean {
  return field.enum !== undefined || field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES;
}

function expectedOf(field: DescField): string {
  if (field.enum) return `one of ${field.enum.values.map(({ name }) => name).join(", ")}`;
  switch (field.scalar) {
    case ScalarType.STRING:
      return "text";
    case ScalarType.BYTES:
      return "bytes in base64";
    case ScalarType.BOOL:
      return "true or false";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return "a number";
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return "a whole number from 0 to 4294967295";
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return "a whole number from 0 to 18446744073709551615";
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return "a whole number of 64 bits";
    default:
      return "a whole number from -2147483648 to 2147483647";
  }
}

/** What stands there, as an error tells it. */
export function foundOf(node: YamlNode): string {
  switch (node.kind) {
    case "list":
      return "a list";
    case "mapping":
      return "a mapping";
    case "scalar":
      if (node.value === null) return "empty";
      if (node.secret) return "another value";
      return typeof node.value === "string" ? JSON.stringify(shortened(node.value)) : String(node.value);
  }
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
