import type { Call } from "../call.ts";
import type { Outcome, Reporter } from "../interceptors/observe.ts";
import { CallTrace, parseTraceParent, ratioSampler, type Sampler } from "./call-trace.ts";
import type { EndedSpan, Sdk } from "./sdk.ts";

/**
 * Tracing, at the price of what is recorded. Whether a call is sampled is decided here, from its
 * `traceparent` and OpenTelemetry's own settings; one that is not costs nothing more. The SDK, which
 * takes longer to load than everything else together, is loaded after the first sampled call has been
 * answered: what ended until then is handed to it, with the ids and times that it really had.
 */
export interface Tracing {
  /** Whether spans are exported at all. */
  readonly enabled: boolean;
  /** The SDK, once it is loaded. */
  readonly sdk: Sdk | undefined;
  /** The trace context of a call that begins. */
  begin(traceParent: string | undefined, traceState: string | undefined): CallTrace;
  /** Runs a call's work as its span, where its transport has not made one. */
  run<T>(call: Call, work: () => T): T;
  readonly reporter: Reporter;
  /** Exports what is left. */
  shutdown(): Promise<void>;
}

/** Spans of calls that ended before the SDK was there; more than a start ever sees. */
const EARLY_SPANS = 1_000;

/** Loads the SDK with what the transport wants instrumented. */
export type LoadSdk = () => Promise<Sdk>;

export function createTracing(
  env: NodeJS.ProcessEnv,
  loadSdk: LoadSdk,
  onError: (error: unknown) => void,
): Tracing {
  const sampler = isConfigured(env) ? samplerOf(env) : undefined;
  const early: EndedSpan[] = [];
  let sdk: Sdk | undefined;
  let loading: Promise<void> | undefined;

  const load = () => {
    loading ??= loadSdk().then((loaded) => {
      sdk = loaded;
      for (const span of early.splice(0)) loaded.record(span);
    }, onError);
    return loading;
  };

  return {
    enabled: sampler !== undefined,
    get sdk() {
      return sdk;
    },
    begin(traceParent, traceState) {
      const parent = traceParent === undefined ? undefined : parseTraceParent(traceParent, traceState);
      return new CallTrace(parent, sampler);
    },
    run(call, work) {
      if (!sdk) return work();
      return call.trace.sampled ? sdk.asSpan(call, work) : sdk.unsampled(call.trace, work);
    },
    reporter: {
      end(call, outcome) {
        if (!call.trace.sampled) return;
        if (call.span) call.span.end(outcome);
        else if (early.length < EARLY_SPANS) {
          early.push(endedSpan(call, outcome));
          // After the answer is on its way: the first call does not wait for it.
          if (!loading) setImmediate(load);
        }
      },
    },
    async shutdown() {
      if (early.length > 0) await load();
      await loading;
      await sdk?.shutdown();
    },
  };
}

function endedSpan(call: Call, { code, seconds, error }: Outcome): EndedSpan {
  const endedAtMs = performance.timeOrigin + performance.now();
  return {
    trace: call.trace,
    method: call.method.name,
    protocol: call.protocol,
    startedAtMs: endedAtMs - seconds * 1_000,
    endedAtMs,
    code,
    message: error instanceof Error ? error.message : undefined,
    principal: call.principal?.name,
    refusedBy: call.refusedBy,
  };
}

/** None of OpenTelemetry's settings, no traces; one that says where they go, or how, turns them on. */
function isConfigured(env: NodeJS.ProcessEnv): boolean {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return false;
  const exporter = env.OTEL_TRACES_EXPORTER?.trim();
  if (exporter) return exporter !== "none";
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
}

/**
 * `OTEL_TRACES_SAMPLER` and its argument; a sampler or a ratio that OpenTelemetry does not know counts
 * as its default, as its specification says.
 */
export function samplerOf(env: NodeJS.ProcessEnv): Sampler {
  const name = env.OTEL_TRACES_SAMPLER?.trim() || "parentbased_always_on";
  const argument = env.OTEL_TRACES_SAMPLER_ARG?.trim();
  const given = argument ? Number(argument) : 1;
  const ratio = given >= 0 && given <= 1 ? given : 1;
  const parentBased = name.startsWith("parentbased_");
  switch (name.replace("parentbased_", "")) {
    case "always_on":
      return ratioSampler(1, parentBased);
    case "always_off":
      return ratioSampler(0, parentBased);
    case "traceidratio":
      return ratioSampler(ratio, parentBased);
    default:
      return ratioSampler(1, true);
  }
}
