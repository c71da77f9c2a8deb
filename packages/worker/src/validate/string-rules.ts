import { isIPv4 } from "node:net";
import type { StringRules } from "@gantry/proto/buf/validate/validate_pb.js";
import { all, type Check, rule } from "./findings.ts";
import { compilePattern } from "./pattern.ts";
import { BeyondNative, checksOf, noCheck, type RuleTable } from "./rule-table.ts";
import { hasAtLeast, hasAtMost } from "./text.ts";

/** @throws BeyondNative */
export function stringCheck(rules: StringRules): Check<string> | undefined {
  return all(checksOf(rules, STRING_RULES));
}

const STRING_RULES: RuleTable<StringRules, string> = {
  const: ({ const: wanted }) => rule((text) => text === wanted, `must equal \`${wanted}\``, "string.const"),
  len: ({ len }) =>
    rule(
      (text) => hasAtLeast(text, Number(len)) && hasAtMost(text, Number(len)),
      `must be ${len} characters`,
      "string.len",
    ),
  minLen({ minLen }) {
    const least = Number(minLen);
    return rule((text) => hasAtLeast(text, least), `must be at least ${minLen} characters`, "string.min_len");
  },
  maxLen({ maxLen }) {
    const most = Number(maxLen);
    return rule((text) => hasAtMost(text, most), `must be at most ${maxLen} characters`, "string.max_len");
  },
  lenBytes: ({ lenBytes }) =>
    rule(
      (text) => Buffer.byteLength(text) === Number(lenBytes),
      `must be ${lenBytes} bytes`,
      "string.len_bytes",
    ),
  minBytes: ({ minBytes }) =>
    rule(
      (text) => Buffer.byteLength(text) >= Number(minBytes),
      `must be at least ${minBytes} bytes`,
      "string.min_bytes",
    ),
  maxBytes: ({ maxBytes }) =>
    rule(
      (text) => Buffer.byteLength(text) <= Number(maxBytes),
      `must be at most ${maxBytes} bytes`,
      "string.max_bytes",
    ),
  pattern({ pattern }) {
    const compiled = compilePattern(pattern);
    if (!compiled) throw new BeyondNative(`the pattern ${pattern}`);
    return rule(
      (text) => compiled.test(text),
      `does not match regex pattern \`${pattern}\``,
      "string.pattern",
    );
  },
  prefix: ({ prefix }) =>
    rule((text) => text.startsWith(prefix), `does not have prefix \`${prefix}\``, "string.prefix"),
  suffix: ({ suffix }) =>
    rule((text) => text.endsWith(suffix), `does not have suffix \`${suffix}\``, "string.suffix"),
  contains: ({ contains: part }) =>
    rule((text) => text.includes(part), `does not contain substring \`${part}\``, "string.contains"),
  notContains: ({ notContains: part }) =>
    rule((text) => !text.includes(part), `contains substring \`${part}\``, "string.not_contains"),
  in({ in: list }) {
    const allowed = new Set(list);
    return rule((text) => allowed.has(text), `must be in list [${list.join(", ")}]`, "string.in");
  },
  notIn({ notIn: list }) {
    const refused = new Set(list);
    return rule((text) => !refused.has(text), `must not be in list [${list.join(", ")}]`, "string.not_in");
  },
  email: format("email", "email address", (text) => EMAIL.test(text)),
  hostname: format("hostname", "hostname", isHostname),
  ipv4: format("ipv4", "IPv4 address", isIPv4),
  uuid: format("uuid", "UUID", (text) => UUID.test(text)),
  tuuid: format("tuuid", "trimmed UUID", (text) => TRIMMED_UUID.test(text)),
  ulid: format("ulid", "ULID", (text) => ULID.test(text)),
  example: noCheck,
};

/** A rule that is on or off, with a violation of its own for the empty text. */
function format(
  name: "email" | "hostname" | "ipv4" | "uuid" | "tuuid" | "ulid",
  what: string,
  holds: (text: string) => boolean,
): (rules: StringRules) => Check<string> | undefined {
  return ({ wellKnown }) => {
    if (wellKnown.value !== true) return undefined;
    return (text, found) => {
      if (text === "") found.add(`value is empty, which is not a valid ${what}`, `string.${name}_empty`);
      else if (!holds(text)) found.add(`must be a valid ${what}`, `string.${name}`);
    };
  };
}

/** Source: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address */
const EMAIL =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;
const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const TRIMMED_UUID = /^[0-9a-fA-F]{32}$/;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$/;
const HOST_LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;

/** Labels of letters, digits and hyphens, 253 characters at most; the last label is not all digits. */
function isHostname(text: string): boolean {
  if (text.length > 253) return false;
  const labels = (text.endsWith(".") ? text.slice(0, -1) : text).split(".");
  return labels.every((label) => HOST_LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? "");
}
