import type { LogLine, Span, TraceSummary, WholeTrace } from "@gantry/console";

export interface Traces {
  addSpans(spans: readonly Span[]): void;
  addLine(line: LogLine): void;
  /** The newest first. */
  list(): TraceSummary[];
  get(traceId: string): WholeTrace | undefined;
  /** Calls with every trace that has new spans. */
  subscribe(listener: (summaries: TraceSummary[]) => void): () => void;
}

const MOST_TRACES = 1_000;
const MOST_SPANS = 200;
const MOST_LINES = 5_000;
/** What the console itself asks workers, over and over. */
const OWN_CALLS = /^(grpc\.(reflection|health)|gantry\.v1\.Admin$)/;

/** Keeps the last thousand traces and the log lines that may belong to them. */
export function createTraces(): Traces {
  const traces = new Map<string, Span[]>();
  const lines: LogLine[] = [];
  const listeners = new Set<(summaries: TraceSummary[]) => void>();

  return {
    addSpans(spans) {
      const changed = new Set<string>();
      for (const span of spans) {
        if (OWN_CALLS.test(String(span.attributes["rpc.service"] ?? ""))) continue;
        const known = traces.get(span.traceId) ?? [];
        if (known.length >= MOST_SPANS) continue;
        known.push(span);
        traces.set(span.traceId, known);
        changed.add(span.traceId);
      }
      for (const oldest of traces.keys()) {
        if (traces.size <= MOST_TRACES) break;
        traces.delete(oldest);
      }
      const summaries = [...changed].flatMap((traceId) => summaryOf(traceId, traces.get(traceId)));
      for (const listener of listeners) listener(summaries);
    },
    addLine(line) {
      lines.push(line);
      if (lines.length > MOST_LINES) lines.shift();
    },
    list: () => [...traces].flatMap(([traceId, spans]) => summaryOf(traceId, spans)).reverse(),
    get(traceId) {
      const spans = traces.get(traceId);
      return spans && { spans, logs: lines.filter((line) => line.trace_id === traceId) };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function summaryOf(traceId: string, spans: readonly Span[] = []): TraceSummary[] {
  const ordered = spans.toSorted((a, b) => a.startMs - b.startMs);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const first = ordered.find(({ parentSpanId }) => !ids.has(parentSpanId)) ?? ordered[0];
  if (!first) return [];
  const endMs = Math.max(...spans.map((span) => span.endMs));
  const code = first.attributes["rpc.grpc.status_code"];
  return [
    {
      traceId,
      name: first.name.replace(/^grpc\./, ""),
      services: [...new Set(ordered.map(({ service }) => service))],
      startMs: first.startMs,
      durationMs: Math.max(0, endMs - first.startMs),
      spans: spans.length,
      code: typeof code === "number" ? code : first.failed ? 2 : 0,
    },
  ];
}
