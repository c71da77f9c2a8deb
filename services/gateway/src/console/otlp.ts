/** Spans as OpenTelemetry's exporters send them over HTTP in JSON. What is not as expected is left out. */

import type { Span } from "@gantry/console";

const KINDS = ["internal", "internal", "server", "client", "producer", "consumer"] as const;
const MOST_ATTRIBUTES = 64;
const LONGEST_TEXT = 2_048;
const FAILED = 2;

/** Source: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
export function readSpans(body: unknown): Span[] {
  return list(body, "resourceSpans").flatMap((resource) => {
    const service = attributesOf(field(resource, "resource"))["service.name"];
    return list(resource, "scopeSpans")
      .flatMap((scope) => list(scope, "spans"))
      .flatMap((span) => readSpan(span, typeof service === "string" ? service : "unknown"));
  });
}

function readSpan(span: unknown, service: string): Span[] {
  const traceId = field(span, "traceId");
  const spanId = field(span, "spanId");
  if (typeof traceId !== "string" || !/^[0-9a-f]{32}$/i.test(traceId)) return [];
  if (typeof spanId !== "string" || !/^[0-9a-f]{16}$/i.test(spanId)) return [];
  const status = field(span, "status");
  const kind = field(span, "kind");
  return [
    {
      traceId: traceId.toLowerCase(),
      spanId: spanId.toLowerCase(),
      parentSpanId: text(field(span, "parentSpanId")).toLowerCase(),
      service,
      name: text(field(span, "name")),
      kind: (typeof kind === "number" ? KINDS[kind] : undefined) ?? "internal",
      startMs: milliseconds(field(span, "startTimeUnixNano")),
      endMs: milliseconds(field(span, "endTimeUnixNano")),
      failed: field(status, "code") === FAILED,
      message: text(field(status, "message")),
      attributes: attributesOf(span),
    },
  ];
}

function attributesOf(owner: unknown): Record<string, string | number | boolean> {
  const attributes: Record<string, string | number | boolean> = {};
  for (const attribute of list(owner, "attributes").slice(0, MOST_ATTRIBUTES)) {
    const key = field(attribute, "key");
    if (typeof key === "string") attributes[key] = plain(field(attribute, "value"));
  }
  return attributes;
}

function plain(value: unknown): string | number | boolean {
  const boolean = field(value, "boolValue");
  if (typeof boolean === "boolean") return boolean;
  const number = field(value, "doubleValue") ?? field(value, "intValue");
  if (number !== undefined) return Number(number);
  const string = field(value, "stringValue");
  return string === undefined ? text(JSON.stringify(value)) : text(string);
}

/** Nanoseconds, as text or as a number. */
function milliseconds(nanoseconds: unknown): number {
  const value = Number(nanoseconds);
  return Number.isFinite(value) ? value / 1e6 : 0;
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, LONGEST_TEXT) : "";
}

function list(owner: unknown, name: string): readonly unknown[] {
  const value = field(owner, name);
  return Array.isArray(value) ? value : [];
}

function field(owner: unknown, name: string): unknown {
  return typeof owner === "object" && owner !== null ? Reflect.get(owner, name) : undefined;
}
