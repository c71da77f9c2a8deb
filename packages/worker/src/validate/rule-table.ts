import { isFieldSet, type Message } from "@bufbuild/protobuf";
import { type FieldRules, FieldRulesSchema } from "@gantry/proto/buf/validate/validate_pb.js";
import type { Check } from "./findings.ts";

/**
 * How to check each rule that a rules message (`StringRules`, `MapRules` …) may set, by the rule's
 * name. Undefined for a rule that changes nothing as it is set, as `email: false`.
 */
export type RuleTable<Rules, T> = Readonly<Record<string, (rules: Rules) => Check<T> | undefined>>;

/** A rule that is not checked here, but by protovalidate itself. `message` names it. */
export class BeyondNative extends Error {
  override readonly name = "BeyondNative";
}

/**
 * The checks of the rules that are set, in the order in which protovalidate has them.
 *
 * @throws BeyondNative where a rule is set that the table does not have.
 */
export function checksOf<Rules extends Message, T>(
  rules: Rules,
  table: RuleTable<Rules, T>,
): (Check<T> | undefined)[] {
  refuseUnknown(rules);
  const schema = RULES.get(rules.$typeName);
  if (!schema) throw new BeyondNative(rules.$typeName);
  return schema.fields
    .filter((field) => isFieldSet(rules, field))
    .map((field) => {
      const make = Object.hasOwn(table, field.localName) ? table[field.localName] : undefined;
      if (!make) throw new BeyondNative(`${schema.typeName}.${field.name}`);
      return make(rules);
    });
}

const RULES = new Map(FieldRulesSchema.fields.map(({ message }) => [message?.typeName, message]));

/** Custom rules in CEL are protovalidate's own affair. @throws BeyondNative */
export function refuseCustom(rules: FieldRules): void {
  refuseUnknown(rules);
  if (rules.cel.length > 0 || rules.celExpression.length > 0) throw new BeyondNative("a rule in CEL");
}

/** Rules that came after this code, or that an author has predefined, arrive as unknown fields. */
function refuseUnknown(rules: Message): void {
  if (rules.$unknown && rules.$unknown.length > 0)
    throw new BeyondNative(`an extension of ${rules.$typeName}`);
}

/** For rules that are looked at elsewhere, and for `example`, which is for people. */
export const noCheck = (): undefined => undefined;
