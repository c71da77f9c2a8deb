import { useEffect, useState } from "preact/hooks";
import type { LogLine, Span, WholeTrace } from "../api.ts";
import { askTrace, connection, traces } from "../gateway.ts";
import { codeName, codeTone } from "../parts/codes.ts";
import { Empty } from "../parts/empty.tsx";
import { clock, duration } from "../parts/format.ts";
import { href } from "../route.ts";
import { useStore } from "../store.ts";
import { inOrder, type Placed } from "./waterfall.ts";

/** One trace: its spans as a waterfall, their attributes, and the lines that were logged meanwhile. */
export function TraceDetail({ traceId }: { traceId: string }) {
  const summary = useStore(traces)?.find((each) => each.traceId === traceId);
  const { state } = useStore(connection);
  const [trace, setTrace] = useState<WholeTrace | undefined>(undefined);
  const [selected, select] = useState("");
  useEffect(() => {
    if (state !== "connected") return;
    let isLeft = false;
    const load = async () => {
      const loaded = await askTrace(traceId);
      if (!isLeft && loaded) setTrace(loaded);
    };
    void load();
    // Lines and spans of the other workers come a moment after the first ones.
    const timers = [500, 1_500].map((ms) => setTimeout(load, ms));
    return () => {
      isLeft = true;
      timers.forEach(clearTimeout);
    };
  }, [traceId, state, summary?.spans]);

  const back = (
    <a class="back" href={href("traces")}>
      ← All traces
    </a>
  );
  if (!trace) {
    return (
      <div class="page">
        {back}
        <Empty title="This trace is not here">
          It shows as soon as its spans have come, within about a second of its calls' ends. The last thousand
          are kept.
        </Empty>
      </div>
    );
  }
  const placed = inOrder(trace.spans);
  const current = placed.find(({ span }) => span.spanId === selected) ?? placed[0];
  return (
    <div class="page">
      {back}
      <h1>
        {summary?.name ?? "Trace"} <small>{traceId}</small>
      </h1>
      <ol class="waterfall card" aria-label="Spans">
        {placed.map((each) => (
          <Row
            key={each.span.spanId}
            {...each}
            selected={each === current}
            onSelect={() => select(each.span.spanId)}
          />
        ))}
      </ol>
      <div class="columns">
        {current && <Attributes span={current.span} />}
        <Logs lines={trace.logs} />
      </div>
    </div>
  );
}

interface RowProps extends Placed {
  readonly selected: boolean;
  onSelect(): void;
}

function Row({ span, depth, left, width, selected, onSelect }: RowProps) {
  return (
    <li>
      <button type="button" aria-pressed={selected} onClick={onSelect}>
        <span class="name" style={{ paddingInlineStart: `${Math.min(depth, 8) * 0.8}rem` }}>
          <span class={`dot ${span.kind}`} /> {span.service} <small>{span.kind}</small>
          <small class="method">{span.name.replace(/^grpc\./, "")}</small>
        </span>
        <span class="track">
          <span
            class={`bar ${span.kind} ${span.failed ? "failed" : ""}`}
            style={{ insetInlineStart: `${left * 100}%`, inlineSize: `max(3px, ${width * 100}%)` }}
          />
        </span>
        <span class="took">{duration(span.endMs - span.startMs)}</span>
      </button>
    </li>
  );
}

function Attributes({ span }: { span: Span }) {
  const code = span.attributes["rpc.grpc.status_code"];
  return (
    <section class="card" aria-label="Attributes">
      <div class="head">
        <h2>{span.name}</h2>
        {typeof code === "number" && <span class={`badge ${codeTone(code)}`}>{codeName(code)}</span>}
      </div>
      {span.message !== "" && <p class="problem">{span.message}</p>}
      <dl class="pairs">
        <Pair name="worker" value={span.service} />
        <Pair name="began" value={clock(span.startMs)} />
        <Pair name="span" value={span.spanId} />
        {Object.entries(span.attributes).map(([name, value]) => (
          <Pair key={name} name={name} value={String(value)} />
        ))}
      </dl>
    </section>
  );
}

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Logs({ lines }: { lines: readonly LogLine[] }) {
  return (
    <section class="card" aria-label="Log lines">
      <h2>Log lines</h2>
      {lines.length === 0 && <p class="hint">None came with this trace.</p>}
      <ol class="logs">
        {lines.map((line, index) => {
          const { time, level, worker, msg, trace_id: _trace, span_id: _span, ...rest } = line;
          return (
            // Lines have no names but their places.
            <li key={index}>
              <span class="when">{clock(Date.parse(String(time)))}</span>{" "}
              <span class={`level ${String(level)}`}>{String(level)}</span> <strong>{String(worker)}</strong>{" "}
              {String(msg)} <span class="rest">{fields(rest)}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function fields(rest: LogLine): string {
  return Object.entries(rest)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}
