import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { APP_KEY_HEADER } from "../auth/credentials.ts";
import type { Call } from "../call.ts";
import { PolicyError } from "../policy/policy-error.ts";
import { hostOf } from "./peer.ts";

/** Whose calls a quota counts together. */
export interface Subject {
  readonly kind: "request" | "peer" | "principal" | "metadata" | "everybody";
  /** As policies write it, with the proto's names for fields: `request.name`, `peer`, `principal`, `metadata.x-user`, ``. */
  readonly source: string;
  /** What refusals call it: `name`, `peer`, `principal`, `x-user`, `method`. */
  readonly label: string;
  /** The subject of one call, or of one of its messages. Never throws; what is not there is "". */
  readonly of: (call: Call, message: Message | undefined) => string;
}

const PEER: Subject = { kind: "peer", source: "peer", label: "peer", of: (call) => hostOf(call.peer) };
const PRINCIPAL: Subject = {
  kind: "principal",
  source: "principal",
  label: "principal",
  of: (call) => call.principal?.name ?? "",
};
const EVERYBODY: Subject = { kind: "everybody", source: "", label: "method", of: () => "" };
const METADATA_KEY = /^[0-9a-z_.-]+$/;
/** Refusals tell their subject, to the caller and in the log: a secret must be none. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  APP_KEY_HEADER,
]);

/**
 * The subject that a policy names for a method: `request.<field>`, `peer`, `principal`, `metadata.<key>`, or
 * "" for everybody. Fields are looked up here, once: what a call runs is plain property access.
 *
 * @param where what names the subject, for the error: `quota "greetings-per-name"`
 * @throws PolicyError where there is no such subject
 */
export function parseSubject(source: string, method: DescMethod, where: string): Subject {
  if (source === "") return EVERYBODY;
  if (source === "peer") return PEER;
  if (source === "principal") return PRINCIPAL;
  if (source.startsWith("metadata.")) return metadataSubject(source.slice("metadata.".length), where);
  if (source.startsWith("request.")) return requestSubject(source.slice("request.".length), method, where);
  throw new PolicyError(
    `${where}: subject ${JSON.stringify(source)} is not known: expected request.<field>, peer, principal, metadata.<key>, or "" for everybody`,
  );
}

function metadataSubject(name: string, where: string): Subject {
  const key = name.toLowerCase();
  if (!METADATA_KEY.test(key) || key.endsWith("-bin")) {
    throw new PolicyError(
      `${where}: subject "metadata.${name}": expected a key of letters, digits, "_", "-" and "." that does not end in "-bin"`,
    );
  }
  if (SECRET_KEYS.has(key)) {
    throw new PolicyError(
      `${where}: subject "metadata.${name}" is a secret, which refusals would tell: expected principal, or another key`,
    );
  }
  return {
    kind: "metadata",
    source: `metadata.${key}`,
    label: key,
    of: (call) => call.metadata.get(key) ?? "",
  };
}

function requestSubject(path: string, method: DescMethod, where: string): Subject {
  const fields: DescField[] = [];
  let message: DescMessage | undefined = method.input;
  for (const name of path.split(".")) {
    const field: DescField | undefined = message?.fields.find(
      (one) => one.name === name || one.jsonName === name,
    );
    if (!field) {
      const found = message
        ? `${message.typeName} has no field "${name}": expected ${namesOf(message)}`
        : `"${fields.at(-1)?.name}" has no fields of its own`;
      throw new PolicyError(`${where}: subject "request.${path}": ${found}`);
    }
    fields.push(field);
    message = field.fieldKind === "message" && !isWrapperDesc(field.message) ? field.message : undefined;
  }
  const leaf = fields.at(-1);
  const text = leaf && textOf(leaf);
  if (!text) {
    const nested = message ? `; its fields are ${namesOf(message)}` : "";
    throw new PolicyError(
      `${where}: subject "request.${path}" is ${kindOf(leaf)}: expected text, a number, a bool or an enum${nested}`,
    );
  }
  const label = fields.map(({ name }) => name).join(".");
  const value = readPath(fields);
  return {
    kind: "request",
    source: `request.${label}`,
    label,
    of: (_call, request) => (request === undefined ? "" : text(value(request))),
  };
}

type Read = (message: unknown) => unknown;

/** Property access along a path; undefined where a message on the way is not set. */
function readPath(fields: readonly DescField[]): Read {
  const [first, ...rest] = fields.map(readerOf);
  if (!first) return () => undefined;
  return rest.reduce<Read>((outer, inner) => {
    return (message) => {
      const nested = outer(message);
      return nested === undefined ? undefined : inner(nested);
    };
  }, first);
}

/** How protobuf-es keeps a field: as a property, or in its oneof as `{ case, value }`. */
function readerOf({ localName, oneof }: DescField): Read {
  // What the readers are given is the message that holds the field: the path was checked against its descriptor.
  if (!oneof) return (message) => (message as Record<string, unknown>)[localName];
  return (message) => {
    const chosen = (message as Record<string, { case: string | undefined; value?: unknown }>)[
      oneof.localName
    ];
    return chosen?.case === localName ? chosen.value : undefined;
  };
}

/** How a field's value becomes text; undefined for fields that make no subject. */
function textOf(field: DescField): ((value: unknown) => string) | undefined {
  switch (field.fieldKind) {
    case "scalar":
      return field.scalar === ScalarType.BYTES ? undefined : scalarText;
    case "enum": {
      const names = new Map<unknown, string>(field.enum.values.map(({ number, name }) => [number, name]));
      return (value) => names.get(value) ?? scalarText(value);
    }
    case "message":
      if (!isWrapperDesc(field.message) || field.message.typeName === "google.protobuf.BytesValue")
        return undefined;
      // protobuf-es keeps a wrapper as its bare value, but in a oneof as a message.
      return field.oneof
        ? (value) => scalarText((value as { value?: unknown } | undefined)?.value)
        : scalarText;
    default:
      return undefined;
  }
}

function scalarText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined ? "" : String(value);
}

function kindOf(field: DescField | undefined): string {
  switch (field?.fieldKind) {
    case "list":
      return "repeated";
    case "map":
      return "a map";
    case "message":
      return isWrapperDesc(field.message) ? "bytes" : "a message";
    default:
      return "bytes";
  }
}

function namesOf(message: DescMessage): string {
  return message.fields.length === 0
    ? "none, for it is empty"
    : message.fields.map(({ name }) => name).join(", ");
}
