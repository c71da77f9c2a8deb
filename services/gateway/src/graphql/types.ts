import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  ScalarType,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import {
  GraphQLBoolean,
  GraphQLEnumType,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  type GraphQLInputFieldConfig,
  GraphQLInputObjectType,
  GraphQLList,
  type GraphQLNamedInputType,
  type GraphQLNamedOutputType,
  GraphQLNonNull,
  GraphQLObjectType,
  specifiedScalarTypes,
} from "graphql";
import { isName, Names, pascal } from "./names.ts";
import { SCALARS, scalarOf, scalarOfMessage } from "./scalars.ts";

/**
 * The types of GraphQL for those of protobuf. Values are protobuf's JSON on both sides, so fields, enums and
 * well-known types are what REST shows; only maps, which GraphQL does not have, are lists of entries.
 */
export class Types {
  readonly #names = new Names([
    "Query",
    "Mutation",
    "Subscription",
    ...[...specifiedScalarTypes, ...SCALARS].map(({ name }) => name),
  ]);
  readonly #messageNames = new Map<string, string>();
  readonly #outputs = new Map<string, GraphQLObjectType>();
  readonly #inputs = new Map<string, GraphQLInputObjectType>();
  readonly #enums = new Map<string, GraphQLEnumType>();

  /** What a message is in answers. */
  output(message: DescMessage): GraphQLNamedOutputType {
    return (
      scalarOfMessage(message) ??
      made(this.#outputs, message.typeName, () => {
        return new GraphQLObjectType<JsonObject>({
          name: this.#nameOf(message),
          description: message.typeName,
          fields: () => this.#outputFields(message),
        });
      })
    );
  }

  /** What a message is in arguments. */
  input(message: DescMessage): GraphQLNamedInputType {
    return (
      scalarOfMessage(message) ??
      made(this.#inputs, message.typeName, () => {
        return new GraphQLInputObjectType({
          name: `${this.#nameOf(message)}Input`,
          description: message.typeName,
          fields: () => filled(this.inputFields(message), { type: GraphQLBoolean, description: EMPTY }),
        });
      })
    );
  }

  /** A message's fields, by their names in GraphQL: of an input object, or as arguments. */
  inputFields(message: DescMessage): Record<string, GraphQLInputFieldConfig> {
    const typeOf = (field: DescField) => {
      const element = this.#inputElement(field);
      if (field.fieldKind === "list" || field.fieldKind === "map") {
        return new GraphQLList(new GraphQLNonNull(element));
      }
      return field.presence === Presence.LEGACY_REQUIRED ? new GraphQLNonNull(element) : element;
    };
    return Object.fromEntries(
      namedFields(message).map(([name, field]) => [name, { type: typeOf(field), ...documented(field) }]),
    );
  }

  #outputFields(message: DescMessage): GraphQLFieldConfigMap<JsonObject, unknown> {
    const configOf = (field: DescField): GraphQLFieldConfig<JsonObject, unknown> => {
      const element = this.#outputElement(field);
      const { jsonName } = field;
      if (field.fieldKind === "map") {
        const entriesOf = entries(field.mapKey);
        const type = new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(element)));
        return { type, resolve: (source) => entriesOf(source[jsonName]), ...documented(field) };
      }
      const type = canBeNull(field) ? element : new GraphQLNonNull(element);
      return {
        type: field.fieldKind === "list" ? new GraphQLNonNull(new GraphQLList(type)) : type,
        resolve: (source) => source[jsonName],
        ...documented(field),
      };
    };
    const fields = Object.fromEntries(namedFields(message).map(([name, field]) => [name, configOf(field)]));
    return filled(fields, { type: GraphQLBoolean, description: EMPTY, resolve: () => true });
  }

  #outputElement(field: DescField): GraphQLNamedOutputType {
    if (field.fieldKind !== "map") return this.#valueOf(field, (message) => this.output(message));
    return made(this.#outputs, `${field}`, () => {
      const key = new GraphQLNonNull(scalarOf(field.mapKey));
      return new GraphQLObjectType({
        name: this.#entryName(field),
        fields: () => ({
          key: { type: key },
          value: { type: this.#valueOf(field, (message) => this.output(message)) },
        }),
      });
    });
  }

  #inputElement(field: DescField): GraphQLNamedInputType {
    if (field.fieldKind !== "map") return this.#valueOf(field, (message) => this.input(message));
    return made(this.#inputs, `${field}`, () => {
      const key = new GraphQLNonNull(scalarOf(field.mapKey));
      return new GraphQLInputObjectType({
        name: `${this.#entryName(field)}Input`,
        fields: () => ({
          key: { type: key },
          value: { type: this.#valueOf(field, (message) => this.input(message)) },
        }),
      });
    });
  }

  /** The type of a field's value, of a list's elements or of a map's values. */
  #valueOf<T>(field: DescField, typeOf: (message: DescMessage) => T) {
    if (field.message) return typeOf(field.message);
    return field.enum ? this.#enumOf(field.enum) : scalarOf(field.scalar);
  }

  #enumOf(desc: DescEnum): GraphQLEnumType {
    return made(this.#enums, desc.typeName, () => {
      const values = desc.values.map(({ name, deprecated }) => {
        const reserved = !isName(name) || ["true", "false", "null"].includes(name);
        return [
          reserved ? `${name}_`.replace(/^_+/, "") : name,
          { value: name, ...noted(deprecated) },
        ] as const;
      });
      return new GraphQLEnumType({
        name: this.#names.take(candidatesFor(desc)),
        description: desc.typeName,
        values: Object.fromEntries(values),
      });
    });
  }

  #nameOf(message: DescMessage): string {
    return made(this.#messageNames, message.typeName, () =>
      this.#names.take(candidatesFor(message), ["Input"]),
    );
  }

  #entryName(field: DescField): string {
    const name = `${this.#nameOf(field.parent)}${pascal(field.name)}Entry`;
    return made(this.#messageNames, `${field}`, () => this.#names.take([name], ["Input"]));
  }
}

const EMPTY = "Stands in for the fields that this message does not have.";

/** A message's fields with their names in GraphQL: lowerCamelCase, as in protobuf's JSON. */
export function namedFields(message: DescMessage): (readonly [name: string, field: DescField])[] {
  const names = new Names([]);
  return message.fields.map((field) => {
    const usable = [field.jsonName, field.name].filter(isName);
    return [names.take(usable.length > 0 ? usable : [`field${field.number}`]), field];
  });
}

function candidatesFor({ typeName, file }: DescMessage | DescEnum): string[] {
  const local = file.proto.package ? typeName.slice(file.proto.package.length + 1) : typeName;
  return [pascal(local), pascal(typeName)];
}

/**
 * Fields that are unset have no value, and a message may come from a newer contract, with values of enums that
 * are not known here.
 */
function canBeNull(field: DescField): boolean {
  if (field.enum || (field.message && scalarOfMessage(field.message)?.name === "JSON")) return true;
  if (field.fieldKind === "list") return false;
  return field.fieldKind === "message" || field.presence === Presence.EXPLICIT;
}

function documented({ oneof, deprecated }: DescField) {
  return {
    ...(oneof && { description: `At most one field of \`${oneof.name}\` is set.` }),
    ...noted(deprecated),
  };
}

function noted(deprecated: boolean) {
  return deprecated ? { deprecationReason: "The contract says so." } : {};
}

/** GraphQL has no types without fields. */
function filled<T>(fields: Record<string, T>, placeholder: T): Record<string, T> {
  return Object.keys(fields).length > 0 ? fields : { _: placeholder };
}

/** The entries of a map, whose keys are text in JSON, whatever they are. */
function entries(mapKey: ScalarType) {
  const keyOf = KEY_READERS.get(mapKey) ?? ((text: string) => text);
  return (map: unknown) =>
    Object.entries(map ?? {}).map(([key, value]) => ({ key: keyOf(key), value: value as unknown }));
}

const KEY_READERS = new Map<ScalarType, (text: string) => unknown>([
  [ScalarType.BOOL, (text) => text === "true"],
  [ScalarType.INT32, Number],
  [ScalarType.SINT32, Number],
  [ScalarType.SFIXED32, Number],
  [ScalarType.UINT32, Number],
  [ScalarType.FIXED32, Number],
]);

/** What was made for a key before, or else now. */
function made<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const value = make();
  known.set(key, value);
  return value;
}
