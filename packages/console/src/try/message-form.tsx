import type { DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import { useState } from "preact/hooks";
import { EnumInput, emptyOf, JSON_TYPES, JsonInput, ScalarInput, type Type, typeOf } from "./leaf-inputs.tsx";

type Json = Readonly<Record<string, unknown>>;

interface MessageFormProps {
  readonly desc: DescMessage;
  /** The message as protobuf's JSON. */
  readonly value: Json;
  onChange(value: Record<string, unknown>): void;
  /** How many messages it is inside of. */
  readonly depth: number;
}

/** A form made from a message's fields. What is left empty is not set. */
export function MessageForm({ desc, value, onChange, depth }: MessageFormProps) {
  const set = (field: DescField, next: unknown) => {
    const { [field.jsonName]: _, ...others } = value;
    onChange(next === undefined ? others : { ...others, [field.jsonName]: next });
  };
  if (desc.members.length === 0) return <p class="hint">{desc.name} has no fields.</p>;
  return (
    <div class="form">
      {desc.members.map((member) =>
        member.kind === "oneof" ? (
          <OneofInput key={member.name} oneof={member} {...{ value, onChange, depth }} />
        ) : (
          <FieldInput
            key={member.name}
            field={member}
            value={value[member.jsonName]}
            onChange={(next) => set(member, next)}
            depth={depth}
          />
        ),
      )}
    </div>
  );
}

interface OneofInputProps extends Pick<MessageFormProps, "value" | "onChange" | "depth"> {
  readonly oneof: DescOneof;
}

function OneofInput({ oneof, value, onChange, depth }: OneofInputProps) {
  const [chosen, choose] = useState("");
  const set = oneof.fields.find(({ jsonName }) => value[jsonName] !== undefined);
  const field = set ?? oneof.fields.find(({ jsonName }) => jsonName === chosen);
  const without = () => {
    const rest = { ...value };
    for (const { jsonName } of oneof.fields) delete rest[jsonName];
    return rest;
  };
  return (
    <fieldset>
      <legend>{oneof.name}: one of</legend>
      <select
        aria-label={oneof.name}
        value={field?.jsonName ?? ""}
        onChange={({ currentTarget }) => {
          choose(currentTarget.value);
          onChange(without());
        }}
      >
        <option value="">none</option>
        {oneof.fields.map(({ jsonName, name }) => (
          <option key={name} value={jsonName}>
            {name}
          </option>
        ))}
      </select>
      {field && (
        <FieldInput
          field={field}
          value={value[field.jsonName]}
          onChange={(next) =>
            onChange(next === undefined ? without() : { ...without(), [field.jsonName]: next })
          }
          depth={depth}
        />
      )}
    </fieldset>
  );
}

interface InputProps {
  /** As protobuf's JSON; undefined: not set. */
  readonly value: unknown;
  onChange(value: unknown): void;
  readonly depth: number;
}

function FieldInput({ field, ...rest }: InputProps & { readonly field: DescField }) {
  switch (field.fieldKind) {
    case "list":
      return <ListInput name={field.name} type={typeOf(field.listKind, field)} {...rest} />;
    case "map":
      return <MapInput name={field.name} type={typeOf(field.mapKind, field)} {...rest} />;
    default:
      return <ValueInput name={field.name} type={typeOf(field.fieldKind, field)} {...rest} />;
  }
}

interface NamedProps extends InputProps {
  readonly name: string;
  readonly type: Type;
}

function ValueInput({ name, type, value, onChange, depth }: NamedProps) {
  if (type.kind === "enum") return <EnumInput {...{ name, value, onChange }} desc={type.desc} />;
  if (type.kind === "scalar") return <ScalarInput {...{ name, value, onChange }} scalar={type.scalar} />;
  const hint = JSON_TYPES[type.desc.typeName];
  if (hint !== undefined) return <JsonInput {...{ name, value, onChange, hint }} />;
  const isSet = typeof value === "object" && value !== null;
  return (
    <fieldset>
      <legend>
        {name} <small>{type.desc.name}</small>{" "}
        <button type="button" class="plain" onClick={() => onChange(isSet ? undefined : {})}>
          {isSet ? "Unset" : "Set"}
        </button>
      </legend>
      {isSet && (
        // A message in JSON is an object.
        <MessageForm
          desc={type.desc}
          value={value as Record<string, unknown>}
          onChange={onChange}
          depth={depth + 1}
        />
      )}
    </fieldset>
  );
}

function ListInput({ name, type, value, onChange, depth }: NamedProps) {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const put = (next: readonly unknown[]) => onChange(next.length === 0 ? undefined : next);
  return (
    <fieldset>
      <legend>
        {name} <small>list</small>
      </legend>
      {items.map((item, index) => (
        // Elements have no names but their places.
        <div class="row" key={index}>
          <ValueInput
            name={`${name}[${index}]`}
            type={type}
            value={item}
            onChange={(next) => put(items.with(index, next ?? emptyOf(type)))}
            depth={depth + 1}
          />
          <button
            type="button"
            class="plain"
            aria-label={`Remove ${name}[${index}]`}
            onClick={() => put(items.toSpliced(index, 1))}
          >
            ×
          </button>
        </div>
      ))}
      <button type="button" class="plain" onClick={() => put([...items, emptyOf(type)])}>
        + Add to {name}
      </button>
    </fieldset>
  );
}

function MapInput({ name, type, value, onChange, depth }: NamedProps) {
  const [key, setKey] = useState("");
  // A map in JSON is an object.
  const entries = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const put = (next: Record<string, unknown>) => onChange(Object.keys(next).length === 0 ? undefined : next);
  return (
    <fieldset>
      <legend>
        {name} <small>map</small>
      </legend>
      {Object.entries(entries).map(([each, item]) => (
        <div class="row" key={each}>
          <ValueInput
            name={`${name}[${JSON.stringify(each)}]`}
            type={type}
            value={item}
            onChange={(next) => put({ ...entries, [each]: next ?? emptyOf(type) })}
            depth={depth + 1}
          />
          <button
            type="button"
            class="plain"
            aria-label={`Remove ${each}`}
            onClick={() => {
              const { [each]: _, ...others } = entries;
              put(others);
            }}
          >
            ×
          </button>
        </div>
      ))}
      <div class="row">
        <input
          aria-label={`Key to add to ${name}`}
          placeholder="key"
          value={key}
          onInput={({ currentTarget }) => setKey(currentTarget.value)}
        />
        <button
          type="button"
          class="plain"
          disabled={key === "" || key in entries}
          onClick={() => {
            put({ ...entries, [key]: emptyOf(type) });
            setKey("");
          }}
        >
          + Add
        </button>
      </div>
    </fieldset>
  );
}
