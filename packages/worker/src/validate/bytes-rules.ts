import type { BytesRules } from "@gantry/proto/buf/validate/validate_pb.js";
import { all, type Check, rule } from "./findings.ts";
import { checksOf, noCheck, type RuleTable } from "./rule-table.ts";

/** @throws BeyondNative */
export function bytesCheck(rules: BytesRules): Check<Uint8Array> | undefined {
  return all(checksOf(rules, BYTES_RULES));
}

const BYTES_RULES: RuleTable<BytesRules, Uint8Array> = {
  const: ({ const: wanted }) =>
    rule((bytes) => Buffer.compare(bytes, wanted) === 0, `must be ${hex(wanted)}`, "bytes.const"),
  len: ({ len }) => rule((bytes) => bytes.length === Number(len), `must be ${len} bytes`, "bytes.len"),
  minLen: ({ minLen }) =>
    rule((bytes) => bytes.length >= Number(minLen), `must be at least ${minLen} bytes`, "bytes.min_len"),
  maxLen: ({ maxLen }) =>
    rule((bytes) => bytes.length <= Number(maxLen), `must be at most ${maxLen} bytes`, "bytes.max_len"),
  prefix: ({ prefix }) =>
    rule((bytes) => startsWith(bytes, prefix), `does not have prefix ${hex(prefix)}`, "bytes.prefix"),
  suffix: ({ suffix }) =>
    rule((bytes) => endsWith(bytes, suffix), `does not have suffix ${hex(suffix)}`, "bytes.suffix"),
  contains: ({ contains: part }) =>
    rule((bytes) => buffer(bytes).includes(buffer(part)), `does not contain ${hex(part)}`, "bytes.contains"),
  in: ({ in: list }) =>
    rule((bytes) => isIn(list, bytes), `must be in list [${list.map(text).join(", ")}]`, "bytes.in"),
  notIn: ({ notIn: list }) =>
    rule((bytes) => !isIn(list, bytes), `must not be in list [${list.map(text).join(", ")}]`, "bytes.not_in"),
  example: noCheck,
};

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0;
}

function endsWith(bytes: Uint8Array, suffix: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(Math.max(bytes.length - suffix.length, 0)), suffix) === 0;
}

function isIn(list: readonly Uint8Array[], bytes: Uint8Array): boolean {
  return list.some((member) => Buffer.compare(member, bytes) === 0);
}

function hex(bytes: Uint8Array): string {
  return buffer(bytes).toString("hex");
}

function text(bytes: Uint8Array): string {
  return buffer(bytes).toString();
}

/** The same bytes, with Node.js's methods. */
function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
