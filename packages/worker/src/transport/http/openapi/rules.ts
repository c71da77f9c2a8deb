import { type DescField, getOption, hasOption, isFieldSet, type Message } from "@bufbuild/protobuf";
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldOption,
  Ignore,
} from "@gantry/proto/buf/validate/validate_pb.js";
import { reader } from "../../../validate/field-values.ts";
import type { Schema } from "./documents.ts";

/** The rules of a field that are in force. */
export function rulesOf(field: DescField): FieldRules | undefined {
  if (!hasOption(field, fieldOption)) return undefined;
  const rules = getOption(field, fieldOption);
  return rules.ignore === Ignore.ALWAYS ? undefined : rules;
}

/**
 * What JSON Schema can say of the rules of one value, beside what it has said of its type. It has no word for
 * some, so what fits its schema may be refused all the same.
 */
export function constraintsOf({ type }: FieldRules): Schema {
  if (type.case === undefined) return {};
  const rules = given(type.value);
  switch (type.case) {
    case "string":
      return keywords(rules, STRING);
    case "repeated":
      return keywords(rules, LIST);
    case "map":
      return keywords(rules, MAP);
    case "bytes":
    case "bool":
    case "enum":
    case "any":
    case "duration":
    case "fieldMask":
    case "timestamp":
      return {};
    default:
      return numberConstraints(rules);
  }
}

/** Whether the rules leave only numbers that JSON has numbers for. */
export function onlyFinite({ type }: FieldRules): boolean {
  return type.case !== undefined && given(type.value).get("finite") === true;
}

/** The first example that the rules give, if any. */
export function givenExample({ type }: FieldRules): unknown {
  if (type.case === undefined) return undefined;
  const examples = given(type.value).get("example");
  return Array.isArray(examples) ? examples[0] : undefined;
}

const SCHEMAS = new Map(FieldRulesSchema.fields.map(({ message }) => [message?.typeName, message]));

/** The rules that are set, by their names in the proto. */
function given(rules: Message): ReadonlyMap<string, unknown> {
  const fields = SCHEMAS.get(rules.$typeName)?.fields ?? [];
  const set = fields.filter((field) => isFieldSet(rules, field));
  return new Map(set.map((field) => [field.name, reader(field)(rules)]));
}

type Keywords = Readonly<Record<string, (value: unknown) => Schema>>;

function keywords(rules: ReadonlyMap<string, unknown>, table: Keywords): Schema {
  const schema: Schema = {};
  for (const [name, value] of rules) {
    const make = Object.hasOwn(table, name) ? table[name] : undefined;
    if (make && value !== false) Object.assign(schema, make(value));
  }
  return schema;
}

const STRING: Keywords = {
  const: (value) => ({ const: String(value) }),
  in: (value) => (Array.isArray(value) ? { enum: value.map(String) } : {}),
  len: (value) => ({ minLength: Number(value), maxLength: Number(value) }),
  min_len: (value) => ({ minLength: Number(value) }),
  max_len: (value) => ({ maxLength: Number(value) }),
  pattern: (value) => (isPattern(String(value)) ? { pattern: String(value) } : {}),
  email: () => ({ format: "email" }),
  hostname: () => ({ format: "hostname" }),
  ipv4: () => ({ format: "ipv4" }),
  ipv6: () => ({ format: "ipv6" }),
  uri: () => ({ format: "uri" }),
  uuid: () => ({ format: "uuid" }),
};

const LIST: Keywords = {
  min_items: (value) => ({ minItems: Number(value) }),
  max_items: (value) => ({ maxItems: Number(value) }),
  unique: () => ({ uniqueItems: true }),
};

const MAP: Keywords = {
  min_pairs: (value) => ({ minProperties: Number(value) }),
  max_pairs: (value) => ({ maxProperties: Number(value) }),
};

/** Rules have the patterns of RE2, of which most are those of JavaScript, and so of JSON Schema. */
function isPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern, "u") instanceof RegExp;
  } catch {
    return false;
  }
}

const BOUNDS: Readonly<Record<string, readonly [keyword: keyof Schema, words: string]>> = {
  gt: ["exclusiveMinimum", "greater than"],
  gte: ["minimum", "at least"],
  lt: ["exclusiveMaximum", "less than"],
  lte: ["maximum", "at most"],
};

/** Numbers of 64 bits are texts in JSON, so their bounds are told in words. */
function numberConstraints(rules: ReadonlyMap<string, unknown>): Schema {
  const least = rules.get("gt") ?? rules.get("gte");
  const greatest = rules.get("lt") ?? rules.get("lte");
  // A greatest value below the least one means that the values between them are refused.
  if (least !== undefined && greatest !== undefined && Number(greatest) < Number(least)) return {};
  const schema: Schema = {};
  const words: string[] = [];
  for (const [name, value] of rules) {
    const bound = Object.hasOwn(BOUNDS, name) ? BOUNDS[name] : undefined;
    if (bound && typeof value === "bigint") words.push(`${bound[1]} ${value}`);
    else if (bound && typeof value === "number") Object.assign(schema, { [bound[0]]: value });
  }
  return words.length === 0 ? schema : { description: `Must be ${words.join(" and ")}.` };
}
