/**
 * Values that have no parts: numbers, texts, bools, bytes and enums. Each comes back as protobuf-es takes it,
 * or is found fault with.
 *
 * Source: https://protobuf.dev/programming-guides/json/
 */
import { type DescEnum, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { nearest } from "../../../nearest.ts";
import type { Findings } from "../../../validate/findings.ts";
import { clip } from "../../../validate/text.ts";
import type { Json } from "./json-text.ts";

const LONGEST_TOLD = 40;

/** What is wrong is added to `found`; what is given back then is of no use. */
export function readScalar(scalar: ScalarType, json: Json, found: Findings): JsonValue {
  switch (scalar) {
    case ScalarType.STRING:
      return readText(json, found);
    case ScalarType.BOOL:
      return typeof json === "boolean" ? json : wrongType("true or false", json, found);
    case ScalarType.BYTES:
      return readBytes(json, found);
    case ScalarType.DOUBLE:
      return readFloat(json, Number.MAX_VALUE, found);
    case ScalarType.FLOAT:
      return readFloat(json, MAX_FLOAT, found);
    default:
      return readWhole(json, rangeOf(scalar), found);
  }
}

/** By name or by number, of which an open enum takes any. */
export function readEnum(desc: DescEnum, json: Json, found: Findings): JsonValue {
  if (typeof json === "number" || typeof json === "bigint") {
    if (desc.open) return readWhole(json, INT32, found);
    if (desc.values.some(({ number }) => number === json)) return Number(json);
  } else if (typeof json !== "string") {
    // google.protobuf.NullValue has one value, which is written as null.
    if (json === null && desc.typeName === "google.protobuf.NullValue") return null;
    return wrongType(`the name of a value of ${desc.name}`, json, found);
  } else if (desc.values.some(({ name, jsonName }) => json === name || json === jsonName)) {
    return json;
  }
  const names = desc.values.map(({ name }) => name);
  const likest = nearest(String(json), names).join(", ");
  found.add(`must be a value of ${desc.name}, as ${likest}, but is ${told(json)}`, "json.enum");
  return null;
}

function readText(json: Json, found: Findings): JsonValue {
  if (typeof json !== "string") return wrongType("text", json, found);
  if (!json.isWellFormed()) found.add("must be Unicode, but holds half of a surrogate pair", "json.unicode");
  return json;
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function readBytes(json: Json, found: Findings): JsonValue {
  if (typeof json !== "string") return wrongType("bytes as text in base64", json, found);
  const digits = json.endsWith("==") ? json.length - 2 : json.length - (json.endsWith("=") ? 1 : 0);
  if (digits % 4 === 1 || !BASE64.test(json)) found.add("must be base64", "json.base64");
  return json;
}

interface Range {
  readonly least: bigint;
  readonly greatest: bigint;
  readonly leastNumber: number;
  readonly greatestNumber: number;
}

function range(least: bigint, greatest: bigint): Range {
  return { least, greatest, leastNumber: Number(least), greatestNumber: Number(greatest) };
}

const INT32 = range(-(2n ** 31n), 2n ** 31n - 1n);
const UINT32 = range(0n, 2n ** 32n - 1n);
const INT64 = range(-(2n ** 63n), 2n ** 63n - 1n);
const UINT64 = range(0n, 2n ** 64n - 1n);
const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;

function rangeOf(scalar: ScalarType): Range {
  switch (scalar) {
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return UINT32;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return UINT64;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return INT64;
    default:
      return INT32;
  }
}

function readWhole(json: Json, range: Range, found: Findings): JsonValue {
  const { least, greatest, leastNumber, greatestNumber } = range;
  // Most numbers are small, whole, and no text.
  if (typeof json === "number" && Number.isSafeInteger(json)) {
    if (json >= leastNumber && json <= greatestNumber) return json;
  }
  const expected = `a whole number from ${least} to ${greatest}`;
  if (typeof json !== "number" && typeof json !== "bigint" && typeof json !== "string") {
    return wrongType(expected, json, found);
  }
  const whole = wholeOf(json);
  if (whole === undefined || whole < least || whole > greatest) {
    const reason = whole === undefined ? "json.number" : "json.range";
    found.add(`must be ${expected}, but is ${told(json)}`, reason);
    return null;
  }
  return greatest > UINT32.greatest ? String(whole) : Number(whole);
}

const WHOLE = /^-?[0-9]{1,40}$/;
const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function wholeOf(json: number | bigint | string): bigint | undefined {
  if (typeof json === "bigint") return json;
  if (typeof json === "string" && WHOLE.test(json)) return BigInt(json);
  const number = typeof json === "number" || NUMBER.test(json) ? Number(json) : Number.NaN;
  // What is infinite here was too great for a double, and is so for every whole number.
  if (Math.abs(number) === Number.POSITIVE_INFINITY) return number > 0 ? 2n ** 64n : -(2n ** 64n);
  return Number.isInteger(number) ? BigInt(number) : undefined;
}

function readFloat(json: Json, greatest: number, found: Findings): JsonValue {
  if (typeof json === "string" && (json === "NaN" || json === "Infinity" || json === "-Infinity"))
    return json;
  if (typeof json !== "number" && typeof json !== "bigint" && typeof json !== "string") {
    return wrongType("a number", json, found);
  }
  if (typeof json === "string" && !NUMBER.test(json)) {
    found.add(`must be a number, but is ${told(json)}`, "json.number");
    return null;
  }
  const number = Number(json);
  if (Math.abs(number) <= greatest) return number;
  // What a double does not hold has come as infinite.
  const what = Number.isFinite(json) || typeof json === "string" ? told(json) : "beyond";
  found.add(`must be a number from ${-greatest} to ${greatest}, but is ${what}`, "json.range");
  return null;
}

/** Finds that a value is of another kind than its field. */
export function wrongType(expected: string, json: Json, found: Findings): null {
  found.add(`must be ${expected}, but is ${kindOf(json)}`, "json.type");
  return null;
}

function kindOf(json: Json): string {
  if (json === null) return "null";
  if (Array.isArray(json)) return "a list";
  switch (typeof json) {
    case "string":
      return "text";
    case "boolean":
      return String(json);
    case "object":
      return "an object";
    default:
      return "a number";
  }
}

/** The value as an error tells it; who sent it knows it. */
export function told(json: string | number | bigint): string {
  return typeof json === "string"
    ? JSON.stringify(clip(json, LONGEST_TOLD))
    : clip(String(json), LONGEST_TOLD);
}
