import { Code, codeName } from "@gantry/rpc";
import type { Call } from "../call.ts";
import type { Logger } from "../log.ts";
import type { Outcome, Reporter } from "./observe.ts";

/** Counts calls, and how long they took, in the numbers that their method keeps. */
export const metrics: Reporter = {
  start({ method: { stats, callsByProtocol }, protocol }) {
    stats.started += 1;
    stats.inFlight += 1;
    if (protocol !== "grpc") callsByProtocol.set(protocol, (callsByProtocol.get(protocol) ?? 0) + 1);
  },
  end({ method: { stats }, trace }, { code, seconds }) {
    const bucket = stats.end(code, seconds);
    if (trace.sampled) {
      stats.exemplars[bucket] = {
        traceId: trace.traceId,
        spanId: trace.spanId,
        seconds,
        timestamp: Date.now() / 1_000,
      };
    }
  },
};

/** Writes one line per call, at a level that goes with its status; probes and the like at debug. */
export function log(logger: Logger): Reporter {
  return {
    end(call, outcome) {
      const level = levelOf(call, outcome);
      if (logger.isLevelEnabled(level)) logger[level](lineOf(call, outcome), "call");
    },
  };
}

function lineOf(
  { method, trace, peer, protocol, principal, refusedBy }: Call,
  { code, seconds, error }: Outcome,
) {
  return {
    method: method.name,
    code: codeName(code),
    duration_ms: Math.round(seconds * 1e6) / 1e3,
    peer,
    protocol: protocol === "grpc" ? undefined : protocol,
    principal: principal?.name,
    trace_id: trace.traceId,
    span_id: trace.spanId,
    quota: refusedBy,
    error: error instanceof Error && code !== Code.Internal ? error.message : undefined,
  };
}

function levelOf({ method }: Call, { code }: Outcome): "debug" | "info" | "warn" | "error" {
  switch (code) {
    case Code.Unknown:
    case Code.Internal:
    case Code.DataLoss:
      return "error";
    case Code.DeadlineExceeded:
    case Code.PermissionDenied:
    case Code.ResourceExhausted:
    case Code.FailedPrecondition:
    case Code.Aborted:
    case Code.Unavailable:
      return method.inBand ? "debug" : "warn";
    default:
      return method.inBand ? "debug" : "info";
  }
}
