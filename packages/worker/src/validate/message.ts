import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  isFieldSet,
  type Message,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  type FieldRules,
  field as fieldOption,
  Ignore,
  message as messageOption,
  oneof as oneofOption,
} from "@gantry/proto/buf/validate/validate_pb.js";
import { listCheck, mapCheck } from "./collections.ts";
import { type Compile, elementCheck } from "./element.ts";
import { oneofCase, reader } from "./field-values.ts";
import { all, at, type Check } from "./findings.ts";
import { BeyondNative } from "./rule-table.ts";

/**
 * Compiles the rules of a message type, and of all that it holds, into one function.
 *
 * @throws BeyondNative where there is a rule that only protovalidate itself can check.
 */
export function compileMessage(root: DescMessage): Check<Message> | undefined {
  const entries = new Map<DescMessage, { check: Check<Message> | undefined }>();
  const compile: Compile = (desc) => {
    if (!hasRules(desc, new Set())) return undefined;
    const known = entries.get(desc);
    // A type that holds itself is met again before its check is there.
    if (known) return (message, found) => known.check?.(message, found);
    const entry: { check: Check<Message> | undefined } = { check: undefined };
    entries.set(desc, entry);
    entry.check = messageCheck(desc, compile);
    return entry.check;
  };
  return compile(root);
}

/** Whether the type, or one that it holds, has rules. */
function hasRules(desc: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(desc)) return false;
  seen.add(desc);
  return (
    hasOption(desc, messageOption) ||
    desc.oneofs.some((oneof) => hasOption(oneof, oneofOption)) ||
    desc.fields.some(
      (field) =>
        hasOption(field, fieldOption) || (field.message !== undefined && hasRules(field.message, seen)),
    )
  );
}

function messageCheck(desc: DescMessage, compile: Compile): Check<Message> | undefined {
  if (hasOption(desc, messageOption)) throw new BeyondNative(`the rules of all of ${desc.name}`);
  const fields = desc.fields.map((field) => fieldCheck(field, compile));
  const oneofs = desc.oneofs
    .filter((oneof) => getOption(oneof, oneofOption).required)
    .map(({ name, localName }) =>
      at<Message>(name, (message, found) => {
        if (oneofCase(message, localName) !== undefined) return;
        found.add("exactly one field is required in oneof", "required");
      }),
    );
  return all([...fields, ...oneofs]);
}

function fieldCheck(field: DescField, compile: Compile): Check<Message> | undefined {
  const rules = getOption(field, fieldOption);
  if (rules.ignore === Ignore.ALWAYS) return undefined;
  const value = valueCheck(field, rules, compile);
  const check = value && at(field.name, value);
  const read = reader(field);

  if (rules.required) {
    const missing = at<Message>(field.name, (_, found) => found.add("value is required", "required"));
    return (message, found) => {
      if (!isFieldSet(message, field)) missing(message, found);
      else check?.(read(message), found);
    };
  }
  if (!check) return undefined;
  if (field.presence === FeatureSet_FieldPresence.IMPLICIT && rules.ignore === Ignore.UNSPECIFIED) {
    return (message, found) => check(read(message), found);
  }
  return (message, found) => {
    if (isFieldSet(message, field)) check(read(message), found);
  };
}

function valueCheck(field: DescField, rules: FieldRules, compile: Compile): Check<unknown> | undefined {
  switch (field.fieldKind) {
    case "list":
      return listCheck(field, rules, compile);
    case "map":
      return mapCheck(field, rules, compile);
    default:
      return elementCheck(field, rules, compile);
  }
}
