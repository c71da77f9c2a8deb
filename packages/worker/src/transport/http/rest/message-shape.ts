import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { nearest } from "../../../nearest.ts";

const names = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** The field of that name, in the proto or in JSON. */
export function fieldNamed(desc: DescMessage, name: string): DescField | undefined {
  let fields = names.get(desc);
  if (!fields) {
    fields = new Map(
      desc.fields.flatMap((field) => [[field.jsonName, field] as const, [field.name, field] as const]),
    );
    names.set(desc, fields);
  }
  return fields.get(name);
}

/** What is said of a name that is none of the type's: `is not known: HelloRequest has name`. */
export function unknownField(desc: DescMessage, name: string): string {
  const likest = nearest(
    name,
    desc.fields.map((field) => field.name),
  );
  return `is not known: ${desc.name} has ${likest.length === 0 ? "no fields" : likest.join(", ")}`;
}

/** Whether the type, or one that it holds, is `google.protobuf.Any`. */
export function holdsAny(desc: DescMessage): boolean {
  return messagesOf([desc]).has("google.protobuf.Any");
}

/** The types given and all that they hold, by name. */
export function messagesOf(roots: readonly DescMessage[]): ReadonlyMap<string, DescMessage> {
  const found = new Map<string, DescMessage>();
  const waiting = [...roots];
  for (let desc = waiting.pop(); desc; desc = waiting.pop()) {
    if (found.has(desc.typeName)) continue;
    found.set(desc.typeName, desc);
    for (const { message } of desc.fields) if (message) waiting.push(message);
  }
  return found;
}

export function kindOfField(field: DescField | undefined): string {
  switch (field?.fieldKind) {
    case "list":
      return field.message ? "a list of messages" : "a list";
    case "map":
      return "a map";
    case "message":
      return `a message (${field.message.name})`;
    case "enum":
      return "an enum";
    default:
      return "a scalar";
  }
}
