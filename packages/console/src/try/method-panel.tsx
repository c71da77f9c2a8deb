import { useEffect, useRef, useState } from "preact/hooks";
import { json } from "../parts/format.ts";
import { createStore, useStore } from "../store.ts";
import { beginCall, type CallState, type RunningCall, type Texts } from "./call.ts";
import { type CatalogMethod, KINDS, streamsRequests } from "./catalog.ts";
import { MessageForm } from "./message-form.tsx";
import { MetadataRows, type Row } from "./metadata-rows.tsx";
import { Outcome } from "./outcome.tsx";
import { Snippets } from "./snippets.tsx";

const IDLE = createStore<CallState | undefined>(undefined);

/** One method: its request, and what came of calling it. */
export function MethodPanel({ method }: { method: CatalogMethod }) {
  const [value, setValue] = useState<Record<string, unknown>>({});
  const [text, setText] = useState<string | undefined>(undefined);
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [deadline, setDeadline] = useState("");
  const [call, setCall] = useState<RunningCall | undefined>(undefined);
  const state = useStore<CallState | undefined>(call?.state ?? IDLE);
  const running = useRef<RunningCall | undefined>(undefined);
  running.current = call;
  useEffect(() => () => running.current?.cancel(), []);

  const problem = text === undefined ? undefined : problemOf(text);
  const many = streamsRequests(method);
  const timeoutMs = deadline === "" ? undefined : Number(deadline);
  const headers = headersOf(rows);
  const ready = problem === undefined && !(timeoutMs !== undefined && !(timeoutMs > 0));
  const isOpen = state?.running === true;

  const go = () => {
    if (!ready) return;
    if (!isOpen) setCall(beginCall(method, { request: value, headers, timeoutMs }));
    else if (state.takesMore) call?.send(value);
  };
  const onKey = useRef(go);
  onKey.current = go;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      onKey.current();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
  const { desc } = method;
  return (
    <div class="method">
      <div class="title">
        <h1>
          <small>{desc.parent.typeName}/</small>
          <wbr />
          {desc.name}
        </h1>
        <p>
          <span class={`kind ${desc.methodKind}`}>{KINDS[desc.methodKind]}</span> {desc.input.name} →{" "}
          {desc.output.name} on {method.worker}
        </p>
      </div>
      <div class="columns">
        <section class="card" aria-label="Request">
          <div class="head">
            <h2>Request</h2>
            <fieldset class="toggle" aria-label="Edit as">
              <button type="button" aria-pressed={text === undefined} onClick={() => setText(undefined)}>
                Form
              </button>
              <button type="button" aria-pressed={text !== undefined} onClick={() => setText(json(value))}>
                JSON
              </button>
            </fieldset>
          </div>
          {text === undefined ? (
            <MessageForm desc={desc.input} value={value} onChange={setValue} depth={0} />
          ) : (
            <label class="field">
              {desc.input.typeName} as JSON
              <textarea
                rows={10}
                spellcheck={false}
                value={text}
                aria-invalid={problem !== undefined}
                onInput={({ currentTarget }) => {
                  setText(currentTarget.value);
                  if (problemOf(currentTarget.value) === undefined) setValue(JSON.parse(currentTarget.value));
                }}
              />
              <span class="problem line" role="alert">
                {problem ?? ""}
              </span>
            </label>
          )}
          <MetadataRows rows={rows} onChange={setRows} />
          <label class="field short">
            Deadline, ms
            <input
              inputMode="numeric"
              placeholder="the method's own"
              value={deadline}
              aria-invalid={timeoutMs !== undefined && !(timeoutMs > 0)}
              onInput={({ currentTarget }) => setDeadline(currentTarget.value.trim())}
            />
          </label>
          <div class="actions">
            <button
              type="button"
              class="primary"
              disabled={!ready || (isOpen && !state.takesMore)}
              onClick={go}
              title="Ctrl+Enter"
            >
              {many ? (isOpen ? "Send another" : "Open and send") : "Call"}
            </button>
            {many && (
              <button type="button" disabled={!isOpen || !state.takesMore} onClick={() => call?.halfClose()}>
                Half-close
              </button>
            )}
            <button type="button" disabled={!isOpen} onClick={() => call?.cancel()}>
              Cancel
            </button>
          </div>
        </section>
        <Outcome state={state} />
      </div>
      <Snippets method={method} request={value} headers={headers} timeoutMs={ready ? timeoutMs : undefined} />
    </div>
  );
}

function headersOf(rows: readonly Row[]): Texts {
  const named = rows.filter(({ key }) => key !== "").map(({ key, value }) => [key.toLowerCase(), value]);
  return Object.fromEntries(named);
}

function problemOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return undefined;
    return "Expected an object, such as {}.";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
