import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { scalarOfMessage } from "./scalars.ts";
import { namedFields } from "./types.ts";

/** Turns arguments, which GraphQL has held to their types, into the JSON of the message that they stand for. */
export type ArgumentsReader = (args: Readonly<Record<string, unknown>>) => JsonObject;

const readers = new WeakMap<DescMessage, ArgumentsReader>();

/** Fields get their names in JSON back, and lists of entries are maps again. Worked out once per message type. */
export function argumentsReader(message: DescMessage): ArgumentsReader {
  const known = readers.get(message);
  if (known) return known;
  let fields: { name: string; key: string; read: (value: unknown) => JsonValue }[] | undefined;
  const reader: ArgumentsReader = (args) => {
    // Not before it is called: a message may have fields of its own type.
    fields ??= namedFields(message).map(([name, field]) => ({
      name,
      key: field.jsonName,
      read: valueReader(field),
    }));
    const json: JsonObject = {};
    for (const { name, key, read } of fields) {
      const value = args[name];
      if (value !== undefined && value !== null) json[key] = read(value);
    }
    return json;
  };
  readers.set(message, reader);
  return reader;
}

/** The casts in here take values as the types that `Types` has given to the very same fields. */
function valueReader(field: DescField): (value: unknown) => JsonValue {
  const ofMessage =
    field.message && !scalarOfMessage(field.message) ? argumentsReader(field.message) : undefined;
  const one = ofMessage
    ? (value: unknown) => ofMessage(value as Record<string, unknown>)
    : (value: unknown) => value as JsonValue;
  switch (field.fieldKind) {
    case "list":
      return (values) => (values as unknown[]).map(one);
    case "map":
      return (entries) => {
        const pairs = entries as { key: unknown; value: unknown }[];
        return Object.fromEntries(pairs.map(({ key, value }) => [String(key), one(value)]));
      };
    default:
      return one;
  }
}
