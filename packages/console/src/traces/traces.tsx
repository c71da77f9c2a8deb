import { useState } from "preact/hooks";
import type { TraceSummary } from "../api.ts";
import { traces } from "../gateway.ts";
import { codeName, codeTone, RESOURCE_EXHAUSTED } from "../parts/codes.ts";
import { Empty } from "../parts/empty.tsx";
import { clock, duration } from "../parts/format.ts";
import { href } from "../route.ts";
import { useStore } from "../store.ts";
import { TraceDetail } from "./trace-detail.tsx";

const OUTCOMES = {
  all: () => true,
  failed: (code: number) => code !== 0,
  refused: (code: number) => code === RESOURCE_EXHAUSTED,
} as const;
type OutcomeFilter = keyof typeof OUTCOMES;

/** The list grows at its top by as many as fit on a page; more are one key away. */
const PAGE = 100;

/** The last thousand traces, and one of them in full. */
export function Traces({ parts: [selected = ""] }: { parts: readonly string[] }) {
  const known = useStore(traces);
  const [text, setText] = useState("");
  const [outcome, setOutcome] = useState<OutcomeFilter>("all");
  const [atLeastMs, setAtLeast] = useState("");
  const [shown, setShown] = useState(PAGE);
  if (selected !== "") return <TraceDetail traceId={selected} />;
  if (!known) return <Empty title="Asking the gateway …">Traces show here in a moment.</Empty>;
  const fits = ({ name, services, traceId, code, durationMs }: TraceSummary) =>
    [name, traceId, ...services].some((each) => each.toLowerCase().includes(text.toLowerCase())) &&
    OUTCOMES[outcome](code) &&
    durationMs >= (Number(atLeastMs) || 0);
  const fitting = known.filter(fits);
  return (
    <div class="page">
      <div class="head filters">
        <h1>Traces</h1>
        <input
          type="search"
          aria-label="Filter by method, worker or trace id"
          placeholder="method, worker or trace id"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value.trim())}
        />
        <select
          aria-label="Outcome"
          value={outcome}
          onChange={({ currentTarget: { value } }) =>
            setOutcome(value in OUTCOMES ? (value as OutcomeFilter) : "all")
          }
        >
          <option value="all">all outcomes</option>
          <option value="failed">failed</option>
          <option value="refused">refused</option>
        </select>
        <input
          class="number"
          inputMode="numeric"
          aria-label="At least so many milliseconds"
          placeholder="≥ ms"
          value={atLeastMs}
          onInput={({ currentTarget }) => setAtLeast(currentTarget.value.trim())}
        />
        <span class="hint">
          {fitting.length} of {known.length}
        </span>
      </div>
      {known.length === 0 ? (
        <Empty title="No traces yet">
          Call something under Try it, or from anywhere else. Workers that send their spans elsewhere (OTEL_…)
          do not show here.
        </Empty>
      ) : (
        <Rows traces={fitting.slice(0, shown)} />
      )}
      {known.length > 0 && fitting.length === 0 && <Empty title="None fits">Another filter may.</Empty>}
      {fitting.length > shown && (
        <button type="button" onClick={() => setShown(shown + PAGE)}>
          Show more
        </button>
      )}
    </div>
  );
}

function Rows({ traces: rows }: { traces: readonly TraceSummary[] }) {
  return (
    <table class="traces">
      <thead>
        <tr>
          <th>Time</th>
          <th>Call</th>
          <th>Status</th>
          <th class="number">Took</th>
          <th>Workers</th>
          <th class="number">Spans</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ traceId, name, services, startMs, durationMs, spans, code }) => (
          <tr key={traceId}>
            <td>{clock(startMs)}</td>
            <td>
              <a href={href("traces", traceId)}>{name}</a>
            </td>
            <td>
              <span class={`badge ${codeTone(code)}`}>{codeName(code)}</span>
            </td>
            <td class="number">{duration(durationMs)}</td>
            <td>{services.join(", ")}</td>
            <td class="number">{spans}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
