import {
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { type FieldRules, oneof as oneofOption } from "@gantry/proto/buf/validate/validate_pb.js";
import type { Schema } from "./documents.ts";
import { constraintsOf, onlyFinite, rulesOf } from "./rules.ts";
import { commentOf, text } from "./words.ts";

/** The schemas of message types and enums, each made when it is first referred to. */
export class Schemas {
  /** By full name, as `components.schemas` has them. */
  readonly components: Record<string, Schema> = {};

  /** A message's schema: a reference, but for the types that have a JSON of their own. */
  message(desc: DescMessage): Schema {
    if (hasCustomJsonRepresentation(desc)) return wellKnownSchema(desc);
    if (!Object.hasOwn(this.components, desc.typeName)) {
      // A type that holds itself is met again before its schema is there.
      this.components[desc.typeName] = {};
      this.components[desc.typeName] = this.#object(desc);
    }
    return reference(desc);
  }

  field(field: DescField): Schema {
    const rules = rulesOf(field);
    const schema = this.#shape(field, rules);
    const { description, ...constraints } = rules ? constraintsOf(rules) : {};
    const words = text(commentOf(field), ownDescription(field, schema), description);
    return { ...schema, ...constraints, ...(words !== "" && { description: words }) };
  }

  #shape(field: DescField, rules: FieldRules | undefined): Schema {
    if (field.fieldKind === "list") {
      const items = rules?.type.case === "repeated" ? rules.type.value.items : undefined;
      return { type: "array", items: { ...this.#single(field), ...(items && constraintsOf(items)) } };
    }
    if (field.fieldKind === "map") {
      const inner = rules?.type.case === "map" ? rules.type.value : undefined;
      const value = { ...this.#single(field), ...(inner?.values && constraintsOf(inner.values)) };
      return { type: "object", propertyNames: keySchema(field.mapKey), additionalProperties: value };
    }
    const schema = this.#single(field);
    const [number] = schema.anyOf ?? [];
    return number && rules && onlyFinite(rules) ? number : schema;
  }

  #single(field: DescField): Schema {
    if (field.message) return this.message(field.message);
    if (field.enum) return this.#enum(field.enum);
    return scalarSchema(field.scalar);
  }

  #enum(desc: DescEnum): Schema {
    if (desc.typeName === "google.protobuf.NullValue") return { type: "null" };
    const description = commentOf(desc);
    this.components[desc.typeName] ??= {
      type: "string",
      enum: desc.values.map(({ name }) => name),
      ...(description !== undefined && { description }),
    };
    return reference(desc);
  }

  #object(desc: DescMessage): Schema {
    const required = desc.fields.filter((field) => rulesOf(field)?.required).map(({ jsonName }) => jsonName);
    const description = text(commentOf(desc), ...desc.oneofs.map(oneofWords));
    return {
      type: "object",
      title: desc.name,
      ...(description !== "" && { description }),
      properties: Object.fromEntries(desc.fields.map((field) => [field.jsonName, this.field(field)])),
      ...(required.length > 0 && { required }),
    };
  }
}

function reference({ typeName }: DescMessage | DescEnum): Schema {
  return { $ref: `#/components/schemas/${typeName}` };
}

function oneofWords(oneof: DescMessage["oneofs"][number]): string {
  const names = oneof.fields.map(({ jsonName }) => `\`${jsonName}\``).join(", ");
  const many =
    hasOption(oneof, oneofOption) && getOption(oneof, oneofOption).required ? "Exactly" : "At most";
  return `${many} one of ${names} is set.`;
}

/** A reference stands before the description of what it refers to. */
function ownDescription({ message }: DescField, { description }: Schema): string | undefined {
  return message && hasCustomJsonRepresentation(message) ? description : undefined;
}

/** A number that is not finite is written by its name. */
const NOT_FINITE: Schema = { type: "string", enum: ["NaN", "Infinity", "-Infinity"] };

function scalarSchema(scalar: ScalarType): Schema {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", format: "byte", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
      return { anyOf: [{ type: "number", format: "double" }, NOT_FINITE] };
    case ScalarType.FLOAT:
      return { anyOf: [{ type: "number", format: "float" }, NOT_FINITE] };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return { type: "string", format: "int64", pattern: "^-?[0-9]+$" };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: "string", format: "uint64", pattern: "^[0-9]+$" };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", format: "uint32", minimum: 0, maximum: 2 ** 32 - 1 };
    default:
      return { type: "integer", format: "int32" };
  }
}

/** Names of properties are texts, whatever the keys are. */
function keySchema(mapKey: ScalarType): Schema {
  if (mapKey === ScalarType.BOOL) return { enum: ["true", "false"] };
  return mapKey === ScalarType.STRING ? { type: "string" } : { pattern: "^-?[0-9]+$" };
}

function wellKnownSchema(desc: DescMessage): Schema {
  switch (desc.typeName) {
    case "google.protobuf.Timestamp":
      return { type: "string", format: "date-time" };
    case "google.protobuf.Duration":
      return { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$", description: "Seconds, as `1.5s`." };
    case "google.protobuf.FieldMask":
      return { type: "string", description: "Paths of fields in lowerCamelCase, with commas between." };
    case "google.protobuf.Struct":
      return { type: "object", additionalProperties: true };
    case "google.protobuf.ListValue":
      return { type: "array", items: {} };
    case "google.protobuf.Any":
      return {
        type: "object",
        properties: { "@type": { type: "string", description: "The type of the message, as a URL." } },
        additionalProperties: true,
      };
    default:
      if (!isWrapperDesc(desc)) return { description: "Any JSON." };
      return nullable(scalarSchema(desc.fields[0].scalar));
  }
}

function nullable(schema: Schema): Schema {
  return typeof schema.type === "string"
    ? { ...schema, type: [schema.type, "null"] }
    : { anyOf: [...(schema.anyOf ?? []), { type: "null" }] };
}
