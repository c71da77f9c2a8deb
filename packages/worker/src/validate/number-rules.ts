import type { Message } from "@bufbuild/protobuf";
import { all, type Check, rule } from "./findings.ts";
import { BeyondNative, checksOf, noCheck, type RuleTable } from "./rule-table.ts";

/** What the rules of all twelve kinds of number have in common. */
export interface NumberRules<T extends number | bigint> extends Message {
  readonly const: T;
  readonly in: readonly T[];
  readonly notIn: readonly T[];
  readonly greaterThan: { readonly case: "gt" | "gte" | undefined; readonly value?: T | undefined };
  readonly lessThan: { readonly case: "lt" | "lte" | undefined; readonly value?: T | undefined };
  /** float and double only */
  readonly finite?: boolean;
}

/** As protobuf and the rules' ids name them. */
type NumberKind = "float" | "double" | `${"" | "u" | "s"}int${32 | 64}` | `${"" | "s"}fixed${32 | 64}`;

/** @throws BeyondNative */
export function numberCheck<T extends number | bigint>(
  kind: NumberKind,
  rules: NumberRules<T>,
): Check<T> | undefined {
  const table: RuleTable<NumberRules<T>, T> = {
    const: ({ const: wanted }) => rule((value) => value === wanted, `must equal ${wanted}`, `${kind}.const`),
    // Both bounds make one rule, which stands where the greater of them is declared.
    lt: ({ greaterThan }) => (greaterThan.case ? undefined : range(kind, rules)),
    lte: ({ greaterThan }) => (greaterThan.case ? undefined : range(kind, rules)),
    gt: () => range(kind, rules),
    gte: () => range(kind, rules),
    in: ({ in: list }) =>
      rule((value) => isIn(list, value), `must be in list [${list.join(", ")}]`, `${kind}.in`),
    notIn: ({ notIn: list }) =>
      rule((value) => !isIn(list, value), `must not be in list [${list.join(", ")}]`, `${kind}.not_in`),
    finite: ({ finite }) =>
      finite
        ? rule((value) => Number.isFinite(Number(value)), "must be finite", `${kind}.finite`)
        : undefined,
    example: noCheck,
  };
  return all(checksOf(rules, table));
}

/** NaN is in no list: it equals nothing. */
function isIn<T>(list: readonly T[], value: T): boolean {
  return list.some((member) => member === value);
}

/** A greatest value below the least one means that the values between them are refused. */
function range<T extends number | bigint>(kind: string, { greaterThan, lessThan }: NumberRules<T>): Check<T> {
  const { case: lowerCase, value: lower } = greaterThan;
  const { case: upperCase, value: upper } = lessThan;
  // NaN orders with nothing, so what a rule with it means is not for us to say.
  if (Number.isNaN(lower) || Number.isNaN(upper)) throw new BeyondNative(`${kind} with a bound that is NaN`);
  const above = (value: T) => lower === undefined || (lowerCase === "gt" ? value > lower : value >= lower);
  const below = (value: T) => upper === undefined || (upperCase === "lt" ? value < upper : value <= upper);
  const aboveText = `greater than ${lowerCase === "gte" ? "or equal to " : ""}${lower}`;
  const belowText = `less than ${upperCase === "lte" ? "or equal to " : ""}${upper}`;

  if (lower === undefined) return rule(below, `must be ${belowText}`, `${kind}.${upperCase}`);
  if (upper === undefined) return rule(above, `must be ${aboveText}`, `${kind}.${lowerCase}`);
  const id = `${kind}.${lowerCase}_${upperCase}`;
  return upper >= lower
    ? rule((value) => above(value) && below(value), `must be ${aboveText} and ${belowText}`, id)
    : rule(
        (value) => above(value) || below(value),
        `must be ${aboveText} or ${belowText}`,
        `${id}_exclusive`,
      );
}
