import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import type { BoolRules, EnumRules, FieldRules } from "@gantry/proto/buf/validate/validate_pb.js";
import { bytesCheck } from "./bytes-rules.ts";
import { all, type Check, rule, untyped } from "./findings.ts";
import { numberCheck } from "./number-rules.ts";
import { BeyondNative, checksOf, noCheck, type RuleTable, refuseCustom } from "./rule-table.ts";
import { stringCheck } from "./string-rules.ts";

/** Gives the check of a message type; undefined where there is nothing to check, however deep. */
export type Compile = (desc: DescMessage) => Check<Message> | undefined;

/** The check of a singular field's value, a list's item or a map's value. @throws BeyondNative */
export function elementCheck(
  field: DescField,
  rules: FieldRules,
  compile: Compile,
): Check<unknown> | undefined {
  if (field.message) {
    refuseCustom(rules);
    // Durations, timestamps, wrappers and the like have rules of their own.
    if (rules.type.case) throw new BeyondNative(`${rules.type.case} rules on a message`);
    return untyped(compile(field.message));
  }
  if (field.enum) return ruleCheck("enum", rules, field.enum);
  if (rules.type.case && "longAsString" in field && field.longAsString)
    throw new BeyondNative("numbers held as strings");
  return scalarCheck(field.scalar, rules);
}

/** @throws BeyondNative */
export function scalarCheck(scalar: ScalarType, rules: FieldRules): Check<unknown> | undefined {
  // protovalidate names scalar types as protobuf-es does, but for case.
  return ruleCheck(ScalarType[scalar].toLowerCase(), rules);
}

function ruleCheck(expected: string, rules: FieldRules, descEnum?: DescEnum): Check<unknown> | undefined {
  refuseCustom(rules);
  const { type } = rules;
  if (type.case === undefined) return undefined;
  // Rules of another type than the value's are a mistake, which protovalidate words best.
  if (type.case !== expected) throw new BeyondNative(`${type.case} rules on a value of type ${expected}`);
  switch (type.case) {
    case "string":
      return untyped(stringCheck(type.value));
    case "bytes":
      return untyped(bytesCheck(type.value));
    case "bool":
      return untyped(all(checksOf(type.value, BOOL_RULES)));
    case "enum":
      return untyped(all(checksOf(type.value, enumRules(descEnum))));
    case "repeated":
    case "map":
    case "any":
    case "duration":
    case "fieldMask":
    case "timestamp":
      throw new BeyondNative(`${type.case} rules`);
    default:
      return untyped(numberCheck<number | bigint>(type.case, type.value));
  }
}

const BOOL_RULES: RuleTable<BoolRules, boolean> = {
  const: ({ const: wanted }) => rule((value) => value === wanted, `must equal ${wanted}`, "bool.const"),
  example: noCheck,
};

function enumRules(desc: DescEnum | undefined): RuleTable<EnumRules, number> {
  return {
    const: ({ const: wanted }) => rule((value) => value === wanted, `must equal ${wanted}`, "enum.const"),
    definedOnly({ definedOnly }) {
      if (!definedOnly) return undefined;
      const defined = new Set(desc?.values.map(({ number }) => number));
      return rule(
        (value) => defined.has(value),
        "value must be one of the defined enum values",
        "enum.defined_only",
      );
    },
    in: ({ in: list }) =>
      rule((value) => list.includes(value), `must be in list [${list.join(", ")}]`, "enum.in"),
    notIn: ({ notIn: list }) =>
      rule((value) => !list.includes(value), `must not be in list [${list.join(", ")}]`, "enum.not_in"),
    example: noCheck,
  };
}
