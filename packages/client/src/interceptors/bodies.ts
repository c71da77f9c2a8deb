/** Messages as log entries have them: protobuf JSON without what is secret, and of bounded length. */
import {
  type DescExtension,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";

export interface BodyOptions {
  /**
   * The fields whose values no entry has, by their paths from the message: `name`, `user.password`. A path goes
   * through lists and maps: `users.password` is that of every user, and `labels.key` also the value that the
   * map `labels` has for `key`. Fields with the option `debug_redact` are never written. Default: none.
   */
  readonly redact?: readonly string[];
  /** The most characters that an entry has of the messages of one direction, all together. Default 1,024. */
  readonly maxBodyLength?: number;
  /** The types that a `google.protobuf.Any` may hold: a message with one of another type is not written. */
  readonly registry?: Registry;
}

const REDACTED = "[redacted]";
/** Stands in for what cannot be written; why is not said, as that may quote what is secret. */
const NOT_WRITTEN = "[no protobuf JSON]";

/** Options, ready for use by every call. */
export interface BodySettings {
  readonly paths: Paths;
  readonly maxLength: number;
  readonly registry: Registry | undefined;
}

export function bodySettings({ redact = [], maxBodyLength = 1_024, registry }: BodyOptions): BodySettings {
  return { paths: redact.map((path) => path.split(".")), maxLength: maxBodyLength, registry };
}

/** The bodies of one direction of a call. */
export class Bodies {
  readonly texts: string[] = [];
  readonly #schema: DescMessage;
  readonly #registry: Registry | undefined;
  readonly #paths: Paths;
  #charactersLeft: number;

  constructor(schema: DescMessage, { paths, maxLength, registry }: BodySettings) {
    this.#schema = schema;
    this.#registry = registry;
    this.#paths = paths;
    this.#charactersLeft = maxLength;
  }

  /** Once the bodies are long enough, what comes is not looked at. */
  add(message: Message): void {
    if (this.#charactersLeft <= 0) return;
    const text = this.#textOf(message);
    this.texts.push(text.length > this.#charactersLeft ? `${text.slice(0, this.#charactersLeft)}…` : text);
    this.#charactersLeft -= text.length;
  }

  #textOf(message: Message): string {
    const registry = this.#registry;
    try {
      const json = toJson(this.#schema, message, registry && { registry });
      return JSON.stringify(redacted(json, this.#schema, this.#paths, registry));
    } catch {
      return NOT_WRITTEN;
    }
  }
}

/** What is left of each path from here on; an empty one has arrived. */
type Paths = readonly (readonly string[])[];

function redacted(
  json: JsonValue,
  desc: DescMessage,
  paths: Paths,
  registry: Registry | undefined,
): JsonValue {
  if (Array.isArray(json)) return json.map((element) => redacted(element, desc, paths, registry));
  if (json === null || typeof json !== "object") return json;
  const type = json["@type"];
  if (desc.typeName === "google.protobuf.Any" && typeof type === "string") {
    const packed = registry?.getMessage(type.slice(type.lastIndexOf("/") + 1));
    return packed ? redacted(json, packed, paths, registry) : json;
  }
  return mapValues(json, (value, key) => {
    const field = FREE_FORM.has(desc.typeName) ? undefined : fieldOf(desc, key, registry);
    const inner = below(paths, key, field?.name);
    if (field?.proto.options?.debugRedact || hasArrived(inner)) return REDACTED;
    if (FREE_FORM.has(desc.typeName)) return redacted(value, desc, inner, registry);
    if (field?.fieldKind === "map") return redactedMap(value, field.message, inner, registry);
    return field?.message ? redacted(value, field.message, inner, registry) : value;
  });
}

function redactedMap(
  json: JsonValue,
  desc: DescMessage | undefined,
  paths: Paths,
  registry: Registry | undefined,
): JsonValue {
  // A map's JSON is an object.
  return mapValues(json as JsonObject, (value, key) => {
    const inner = [...paths, ...below(paths, key)];
    if (hasArrived(inner)) return REDACTED;
    return desc ? redacted(value, desc, inner, registry) : value;
  });
}

/** Types whose JSON has keys that no descriptor knows. */
const FREE_FORM: ReadonlySet<string> = new Set([
  "google.protobuf.Struct",
  "google.protobuf.Value",
  "google.protobuf.ListValue",
]);

function fieldOf(
  desc: DescMessage,
  key: string,
  registry: Registry | undefined,
): DescField | DescExtension | undefined {
  const extension = /^\[(.+)\]$/.exec(key)?.[1];
  return extension === undefined
    ? desc.fields.find(({ jsonName }) => jsonName === key)
    : registry?.getExtension(extension);
}

/** What is left of the paths that go by way of this key; a field may also be called by its name in the proto. */
function below(paths: Paths, key: string, name = key): Paths {
  return paths.filter(([first]) => first === key || first === name).map((path) => path.slice(1));
}

function hasArrived(paths: Paths): boolean {
  return paths.some((path) => path.length === 0);
}

/** Keys such as `__proto__` remain keys. */
function mapValues(json: JsonObject, map: (value: JsonValue, key: string) => JsonValue): JsonObject {
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, map(value, key)]));
}
