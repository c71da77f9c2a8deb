import type { Metadata } from "@gantry/rpc";
import type { ClientCall } from "../interceptor.ts";

/** The span of one attempt at a call. */
export interface AttemptSpan {
  /** What is sent: the call's headers, and those that make the server go on with this span's trace. */
  readonly headers: Metadata;
  end(code: number, message: string): void;
}

export type StartSpan = (call: ClientCall, headers: Metadata) => AttemptSpan;

/** Where OpenTelemetry's API keeps what an SDK has registered, in every release of its first major version. */
const OPENTELEMETRY = Symbol.for("opentelemetry.js.api.1");

/** Whether an SDK records traces in this process. Tells it without loading any of OpenTelemetry. */
export function isTraced(): boolean {
  const registered: unknown = Reflect.get(globalThis, OPENTELEMETRY);
  return typeof registered === "object" && registered !== null && "trace" in registered;
}

let startSpan: StartSpan | undefined;

/** Begins a span, with OpenTelemetry's API loaded for the first one. */
export function beginSpan(call: ClientCall, headers: Metadata): AttemptSpan | Promise<AttemptSpan> {
  return startSpan ? startSpan(call, headers) : loadAndBegin(call, headers);
}

async function loadAndBegin(call: ClientCall, headers: Metadata): Promise<AttemptSpan> {
  ({ startSpan } = await import("./spans.ts"));
  return startSpan(call, headers);
}
