import { create, type DescField, ScalarType } from "@bufbuild/protobuf";
import {
  type FieldRules,
  FieldRulesSchema,
  Ignore,
  type MapRules,
  type RepeatedRules,
} from "@gantry/proto/buf/validate/validate_pb.js";
import { type Compile, elementCheck, scalarCheck } from "./element.ts";
import { isZeroScalar, mapKeyReader, zeroOf } from "./field-values.ts";
import { all, type Check, rule, untyped } from "./findings.ts";
import { BeyondNative, checksOf, noCheck, type RuleTable, refuseCustom } from "./rule-table.ts";
import { clip } from "./text.ts";

type ListField = DescField & { readonly fieldKind: "list" };
type MapField = DescField & { readonly fieldKind: "map" };

/** A map's key may be a whole message long, and comes back in every path below it. */
const LONGEST_KEY = 100;

/** The check of a list and of its items. @throws BeyondNative */
export function listCheck(field: ListField, rules: FieldRules, compile: Compile): Check<unknown> | undefined {
  refuseCustom(rules);
  const { type } = rules;
  if (type.case && type.case !== "repeated") throw new BeyondNative(`${type.case} rules on a list`);
  const list = type.value && all(checksOf(type.value, listRules(field)));
  const item = unlessIgnored(type.value?.items, zeroOf(field), (items) =>
    elementCheck(field, items, compile),
  );
  return untyped(all([list, item && itemsCheck(item)]));
}

function itemsCheck(item: Check<unknown>): Check<readonly unknown[]> {
  return (list, found) => {
    for (let index = 0; index < list.length; index += 1) {
      const before = found.violations.length;
      item(list[index], found);
      if (found.violations.length > before) found.locate(before, `[${index}]`);
    }
  };
}

function listRules(field: ListField): RuleTable<RepeatedRules, readonly unknown[]> {
  return {
    minItems: ({ minItems }) =>
      rule(
        (list) => list.length >= Number(minItems),
        `must contain at least ${minItems} item(s)`,
        "repeated.min_items",
      ),
    maxItems: ({ maxItems }) =>
      rule(
        (list) => list.length <= Number(maxItems),
        `must contain no more than ${maxItems} item(s)`,
        "repeated.max_items",
      ),
    unique({ unique }) {
      if (!unique) return undefined;
      if (field.message) throw new BeyondNative("repeated.unique of messages");
      const keys = field.scalar === ScalarType.BYTES ? bytesKeys : (list: readonly unknown[]) => list;
      return rule(
        (list) => areUnique(keys(list)),
        "repeated value must contain unique items",
        "repeated.unique",
      );
    },
    items: noCheck,
  };
}

/** The check of a map, its keys and its values. @throws BeyondNative */
export function mapCheck(field: MapField, rules: FieldRules, compile: Compile): Check<unknown> | undefined {
  refuseCustom(rules);
  const { type } = rules;
  if (type.case && type.case !== "map") throw new BeyondNative(`${type.case} rules on a map`);
  const map = type.value && all(checksOf(type.value, MAP_RULES));
  const key = unlessIgnored(type.value?.keys, isZeroScalar, (keys) => scalarCheck(field.mapKey, keys));
  const value = unlessIgnored(type.value?.values, zeroOf(field), (values) =>
    elementCheck(field, values, compile),
  );
  return untyped(all([map, (key || value) && entriesCheck(field, key, value)]));
}

function entriesCheck(
  { mapKey }: MapField,
  keyCheck: Check<unknown> | undefined,
  valueCheck: Check<unknown> | undefined,
): Check<Readonly<Record<string, unknown>>> {
  const readKey = mapKeyReader(mapKey);
  return (map, found) => {
    for (const key of Object.keys(map)) {
      const before = found.violations.length;
      keyCheck?.(readKey(key), found);
      valueCheck?.(map[key], found);
      if (found.violations.length > before) {
        found.locate(before, entryPath(mapKey, key));
      }
    }
  };
}

const MAP_RULES: RuleTable<MapRules, Readonly<Record<string, unknown>>> = {
  minPairs: ({ minPairs }) =>
    rule(
      (map) => Object.keys(map).length >= Number(minPairs),
      `map must be at least ${minPairs} entries`,
      "map.min_pairs",
    ),
  maxPairs: ({ maxPairs }) =>
    rule(
      (map) => Object.keys(map).length <= Number(maxPairs),
      `map must be at most ${maxPairs} entries`,
      "map.max_pairs",
    ),
  keys: noCheck,
  values: noCheck,
};

/** Items, keys and values always count as set; `ignore` can still take some or all of them out. */
function unlessIgnored(
  rules: FieldRules | undefined,
  isZero: (value: unknown) => boolean,
  make: (rules: FieldRules) => Check<unknown> | undefined,
): Check<unknown> | undefined {
  if (rules?.ignore === Ignore.ALWAYS) return undefined;
  const check = make(rules ?? create(FieldRulesSchema));
  if (!check || rules?.ignore !== Ignore.IF_ZERO_VALUE) return check;
  return (value, found) => {
    if (!isZero(value)) check(value, found);
  };
}

function areUnique(list: readonly unknown[]): boolean {
  const seen = new Set<unknown>();
  for (const value of list) {
    if (seen.has(value)) return false;
    // NaN is not equal to itself, but a set thinks that it is.
    if (!Number.isNaN(value)) seen.add(value);
  }
  return true;
}

function bytesKeys(list: readonly unknown[]): readonly unknown[] {
  return list.map((bytes) => (bytes instanceof Uint8Array ? Buffer.from(bytes).toString("latin1") : bytes));
}

/** How a path names a map's entry, as protobuf-es writes it: `["key"]`, `[1]`. */
export function entryPath(mapKey: ScalarType, key: string): string {
  return mapKey === ScalarType.STRING ? `["${escaped(key)}"]` : `[${clip(key, LONGEST_KEY)}]`;
}

function escaped(key: string): string {
  return clip(key, LONGEST_KEY)
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\r", "\\r")
    .replaceAll("\n", "\\n");
}
