export interface Row {
  readonly key: string;
  readonly value: string;
}

/** Metadata that goes with the call. */
export function MetadataRows({
  rows,
  onChange,
}: {
  rows: readonly Row[];
  onChange(rows: readonly Row[]): void;
}) {
  const edit = (index: number, change: Partial<Row>) =>
    onChange(rows.with(index, { ...row(rows, index), ...change }));
  return (
    <fieldset class="metadata">
      <legend>Metadata</legend>
      {rows.map(({ key, value }, index) => (
        // Rows have no names but their places.
        <div class="row" key={index}>
          <input
            aria-label="Key"
            placeholder="key"
            value={key}
            onInput={({ currentTarget }) => edit(index, { key: currentTarget.value.trim() })}
          />
          <input
            aria-label={`Value of ${key || "the key"}`}
            placeholder={key.endsWith("-bin") ? "base64" : "value"}
            value={value}
            onInput={({ currentTarget }) => edit(index, { value: currentTarget.value })}
          />
          <button
            type="button"
            class="plain"
            aria-label={`Remove ${key || "the key"}`}
            onClick={() => onChange(rows.toSpliced(index, 1))}
          >
            ×
          </button>
        </div>
      ))}
      <button type="button" class="plain" onClick={() => onChange([...rows, { key: "", value: "" }])}>
        + Add a key
      </button>
    </fieldset>
  );
}

function row(rows: readonly Row[], index: number): Row {
  return rows[index] ?? { key: "", value: "" };
}
