/**
 * OpenTelemetry's SDK, and nothing else that a worker loads at its start: `tracing.ts` imports this
 * file when the first sampled call has been answered.
 */
import {
  type Context,
  context,
  createTraceState,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { GrpcInstrumentation } from "@opentelemetry/instrumentation-grpc";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { Call } from "../call.ts";
import type { Outcome } from "../interceptors/observe.ts";
import type { Logger } from "../log.ts";
import type { Protocol } from "../protocol.ts";
import { CallTrace } from "./call-trace.ts";

/** A call that ended before the SDK was there. */
export interface EndedSpan {
  readonly trace: CallTrace;
  readonly method: string;
  readonly protocol: Protocol;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly code: number;
  readonly message: string | undefined;
  /** The name of who called, where that is known. */
  readonly principal: string | undefined;
  readonly refusedBy: string | undefined;
}

/** The span of a call in progress. */
export interface CallSpan {
  end(outcome: Outcome): void;
}

export interface Sdk {
  /** Exports a span of the past. */
  record(span: EndedSpan): void;
  /** Runs a call's work as its span. */
  asSpan<T>(call: Call, work: () => T): T;
  /** Runs the work of a call that is not recorded, so that spans begun in it are not either. */
  unsampled<T>(trace: CallTrace, work: () => T): T;
  /** Runs what begins a span of its own accord; that span gets the ids of `trace`. */
  withIds<T>(trace: CallTrace, begin: () => T): T;
  /** The span that was begun so, for what the call has to add to it. */
  adopt(call: Call): CallSpan | undefined;
  /** Exports what is left and stops. */
  shutdown(): Promise<void>;
}

export interface SdkOptions {
  readonly name: string;
  readonly version: string;
  readonly log: Logger;
  /** Exports of `@grpc/grpc-js` as the transport loaded them: patched here, whatever loaded first. */
  readonly grpc: object;
}

export function startSdk({ name, version, log, grpc }: SdkOptions): Sdk {
  if (!process.env.OTEL_LOG_LEVEL) reportTo(log);
  const ids = new CallIds();
  const nodeSdk = new NodeSDK({
    resource: defaultResource().merge(
      resourceFromAttributes({ "service.name": name, "service.version": version }),
    ),
    idGenerator: ids,
    // Metrics are Prometheus's and logs are stdout's here, whatever OTEL_* says of theirs.
    metricReaders: [],
    logRecordProcessors: [],
  });
  nodeSdk.start();
  instrument(grpc);
  const tracer = trace.getTracer("@gantry/worker", version);

  const begin = (callTrace: CallTrace, method: string, startTime?: number): Span => {
    const [rpcService, rpcMethod] = method.split("/");
    const attributes = { "rpc.system": "grpc", "rpc.service": rpcService, "rpc.method": rpcMethod };
    const options = { kind: SpanKind.SERVER, attributes, ...(startTime === undefined ? {} : { startTime }) };
    return ids.use(callTrace, () => tracer.startSpan(`grpc.${method}`, options, parentOf(callTrace)));
  };

  return {
    record(ended) {
      const span = begin(ended.trace, ended.method, ended.startedAtMs);
      describe(span, ended.code, ended);
      if (ended.code !== 0) span.setStatus(errorStatus(ended.message));
      span.end(ended.endedAtMs);
    },
    asSpan(call, work) {
      const span = begin(call.trace, call.method.name);
      call.span = {
        end({ code, error }) {
          describe(span, code, findingsOf(call));
          if (code !== 0) span.setStatus(errorStatus(error instanceof Error ? error.message : undefined));
          span.end();
        },
      };
      return context.with(trace.setSpan(parentOf(call.trace), span), work);
    },
    unsampled: (callTrace, work) => context.with(new UnsampledContext(callTrace), work),
    withIds: (callTrace, work) => ids.use(callTrace, work),
    adopt(call) {
      const span = trace.getActiveSpan();
      return span && { end: ({ code }) => describe(span, code, findingsOf(call)) };
    },
    async shutdown() {
      try {
        await nodeSdk.shutdown();
      } catch (error) {
        // Whoever takes spans may be gone already: a worker that has drained has ended well all the same.
        diag.warn(`The last spans could not be exported: ${error}`);
      }
    },
  };
}

/**
 * Applies OpenTelemetry's own gRPC instrumentation to the module that the transport uses. Its hooks
 * on `require` would miss a module that was imported before them, or bundled: this never does.
 */
function instrument(grpc: object): void {
  const instrumentation = new GrpcInstrumentation({ enabled: false });
  instrumentation.setTracerProvider(trace.getTracerProvider());
  for (const definition of instrumentation.init()) definition.patch?.({ ...grpc });
}

/** The context of a call that is not recorded. Few handlers look at it, so it is made for those that do. */
class UnsampledContext implements Context {
  readonly #trace: CallTrace;
  #context: Context | undefined;

  constructor(callTrace: CallTrace) {
    this.#trace = callTrace;
  }

  getValue(key: symbol): unknown {
    return this.#made().getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#made().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.#made().deleteValue(key);
  }

  #made(): Context {
    const { traceId, spanId } = this.#trace;
    this.#context ??= trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.NONE });
    return this.#context;
  }
}

/** Ids for spans: random, but for the span of a call, which gets those that the call goes by. */
class CallIds {
  #next: CallTrace | undefined;

  use<T>(callTrace: CallTrace, begin: () => T): T {
    this.#next = callTrace;
    try {
      return begin();
    } finally {
      this.#next = undefined;
    }
  }

  // The SDK asks for a span id first and, unless the span has a parent, for a trace id then. After
  // that the ids are spent: spans that a handler begins before `use` is over get ids of their own.
  generateSpanId(): string {
    const callTrace = this.#next ?? new CallTrace(undefined, undefined);
    if (callTrace.parent) this.#next = undefined;
    return callTrace.spanId;
  }

  generateTraceId(): string {
    const callTrace = this.#next ?? new CallTrace(undefined, undefined);
    this.#next = undefined;
    return callTrace.traceId;
  }
}

function parentOf({ parent }: CallTrace) {
  if (!parent) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(parent.traceState === undefined ? {} : { traceState: createTraceState(parent.traceState) }),
  });
}

/** What became known of a call on its way. */
type Findings = Pick<EndedSpan, "principal" | "protocol" | "refusedBy">;

function findingsOf({ principal, protocol, refusedBy }: Call): Findings {
  return { principal: principal?.name, protocol, refusedBy };
}

function describe(span: Span, code: number, { principal, protocol, refusedBy }: Findings): void {
  span.setAttribute("rpc.grpc.status_code", code);
  if (protocol !== "grpc") span.setAttribute("gantry.protocol", protocol);
  if (principal !== undefined) span.setAttribute("enduser.id", principal);
  if (refusedBy !== undefined) span.setAttribute("gantry.quota", refusedBy);
}

function errorStatus(message: string | undefined) {
  return { code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) };
}

/** What the SDK has to say, such as a Collector that does not answer, goes to the worker's log. */
function reportTo(log: Logger): void {
  const to = (level: "error" | "warn") => (message: string) => log[level]({ otel: message }, "tracing");
  const silent = () => {};
  const logger = { error: to("error"), warn: to("warn"), info: silent, debug: silent, verbose: silent };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
