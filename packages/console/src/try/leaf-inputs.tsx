import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { useState } from "preact/hooks";

/** One value's type: of a field, of an element of a list, or of a map's value. */
export type Type =
  | { readonly kind: "scalar"; readonly scalar: ScalarType }
  | { readonly kind: "enum"; readonly desc: DescEnum }
  | { readonly kind: "message"; readonly desc: DescMessage };

export function typeOf(kind: Type["kind"], { scalar, enum: enumeration, message }: DescField): Type {
  if (kind === "enum" && enumeration) return { kind, desc: enumeration };
  if (kind === "message" && message) return { kind, desc: message };
  return { kind: "scalar", scalar: scalar ?? ScalarType.STRING };
}

interface LeafProps {
  readonly name: string;
  /** As protobuf's JSON; undefined: not set. */
  readonly value: unknown;
  onChange(value: unknown): void;
}

export function EnumInput({ name, value, onChange, desc }: LeafProps & { readonly desc: DescEnum }) {
  return (
    <label class="field">
      <Caption name={name} type={desc.name} />
      <select
        value={value === undefined ? "" : String(value)}
        onChange={({ currentTarget }) => onChange(currentTarget.value || undefined)}
      >
        <option value="">not set</option>
        {desc.values.map((each) => (
          <option key={each.name} value={each.name}>
            {each.name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function ScalarInput({ name, value, onChange, scalar }: LeafProps & { readonly scalar: ScalarType }) {
  const type = ScalarType[scalar].toLowerCase();
  if (scalar === ScalarType.BOOL) {
    return (
      <label class="field check">
        <input
          type="checkbox"
          checked={value === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked || undefined)}
        />
        <Caption name={name} type={type} />
      </label>
    );
  }
  const isText = scalar === ScalarType.STRING;
  return (
    <label class="field">
      <Caption name={name} type={scalar === ScalarType.BYTES ? "bytes, base64" : type} />
      <input
        spellcheck={false}
        inputMode={isText || scalar === ScalarType.BYTES ? "text" : "decimal"}
        value={value === undefined ? "" : String(value)}
        onInput={({ currentTarget: { value: text } }) =>
          onChange(text === "" ? undefined : scalarOf(text, scalar))
        }
      />
    </label>
  );
}

/** Numbers that JSON can hold are numbers; all others, and what is none, stay text, and the worker says what is wrong. */
function scalarOf(text: string, scalar: ScalarType): unknown {
  if (!NUMBERS.has(scalar)) return text;
  return String(Number(text)) === text && Number.isFinite(Number(text)) ? Number(text) : text;
}

const { INT32, UINT32, SINT32, FIXED32, SFIXED32, FLOAT, DOUBLE } = ScalarType;
const NUMBERS: ReadonlySet<ScalarType> = new Set([INT32, UINT32, SINT32, FIXED32, SFIXED32, FLOAT, DOUBLE]);

/** Messages that are not objects in JSON, or have no fields of their own there. */
export const JSON_TYPES: Readonly<Record<string, string>> = {
  "google.protobuf.Timestamp": '"2026-01-31T09:00:00Z"',
  "google.protobuf.Duration": '"1.5s"',
  "google.protobuf.FieldMask": '"name,address.city"',
  "google.protobuf.Any": '{"@type": "type.googleapis.com/…"}',
  "google.protobuf.Struct": "{}",
  "google.protobuf.Value": "null",
  "google.protobuf.ListValue": "[]",
  "google.protobuf.BoolValue": "true",
  "google.protobuf.StringValue": '"text"',
  "google.protobuf.BytesValue": '"base64"',
  "google.protobuf.Int32Value": "1",
  "google.protobuf.UInt32Value": "1",
  "google.protobuf.Int64Value": '"1"',
  "google.protobuf.UInt64Value": '"1"',
  "google.protobuf.FloatValue": "1.5",
  "google.protobuf.DoubleValue": "1.5",
};

export function JsonInput({ name, value, onChange, hint }: LeafProps & { readonly hint: string }) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value));
  const [problem, setProblem] = useState("");
  return (
    <label class="field">
      <Caption name={name} type={`JSON, such as ${hint}`} />
      <input
        spellcheck={false}
        value={text}
        aria-invalid={problem !== ""}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          try {
            onChange(currentTarget.value === "" ? undefined : JSON.parse(currentTarget.value));
            setProblem("");
          } catch (error) {
            setProblem(error instanceof Error ? error.message : String(error));
          }
        }}
      />
      {problem !== "" && <span class="problem">{problem}</span>}
    </label>
  );
}

/** What an element is before anybody has said what it is. */
export function emptyOf(type: Type): unknown {
  if (type.kind === "message") return {};
  if (type.kind === "enum") return type.desc.values[0]?.name;
  if (type.scalar === ScalarType.BOOL) return false;
  return type.scalar === ScalarType.STRING || type.scalar === ScalarType.BYTES ? "" : 0;
}

function Caption({ name, type }: { name: string; type: string }) {
  return (
    <span>
      {name} <small>{type}</small>
    </span>
  );
}
