import type { Span } from "../api.ts";

/** A span and its place in the waterfall. */
export interface Placed {
  readonly span: Span;
  readonly depth: number;
  /** Where it begins, and how long it is, as shares of the whole trace. */
  readonly left: number;
  readonly width: number;
}

/** Every span behind its parent, siblings by their start. One whose parent is not there stands at the root. */
export function inOrder(spans: readonly Span[]): Placed[] {
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const wholeMs = Math.max(...spans.map((span) => span.endMs)) - startMs || 1;
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const childrenOf = Map.groupBy(
    spans.toSorted((a, b) => a.startMs - b.startMs),
    ({ parentSpanId }) => (ids.has(parentSpanId) ? parentSpanId : ""),
  );
  const placed: Placed[] = [];
  const seen = new Set<string>();
  const place = (parent: string, depth: number) => {
    for (const span of childrenOf.get(parent) ?? []) {
      if (seen.has(span.spanId)) continue;
      seen.add(span.spanId);
      const left = (span.startMs - startMs) / wholeMs;
      placed.push({ span, depth, left, width: Math.max(0, span.endMs - span.startMs) / wholeMs });
      place(span.spanId, depth + 1);
    }
  };
  place("", 0);
  return placed;
}
