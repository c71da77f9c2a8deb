import { type DescMethod, getOption, hasOption, toJson } from "@bufbuild/protobuf";
import { type Duration, MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { type Policy, PolicySchema, policy as policyOption } from "@gantry/proto/gantry/v1/policy_pb.js";
import { durationMs, methodName, methodPath } from "@gantry/rpc";
import type { EdgeService } from "./contracts.ts";

/** Envoy ends a call so much later than its worker does, whose own answer says more. */
const LATER_MS = 1_000;

/** A stream that its policy does not bound may be silent for so long. */
const SILENT_MS = 3_600_000;

/** No server has seen the call, or none has begun with it: it may be repeated, whatever it does. */
const UNSEEN = ["connect-failure", "refused-stream", "reset-before-request"];

/** What Envoy can repeat of gRPC's codes, by their numbers. */
const RETRIABLE: Readonly<Record<string, string>> = {
  CANCELLED: "cancelled",
  DEADLINE_EXCEEDED: "deadline-exceeded",
  INTERNAL: "internal",
  RESOURCE_EXHAUSTED: "resource-exhausted",
  UNAVAILABLE: "unavailable",
};

/** A route for each method, and none for anything else: what is not here is not reachable. */
export function routesOf({ methods, worker }: EdgeService): object[] {
  return methods.map((method) => ({
    name: methodName(method),
    match: { path: methodPath(method) },
    route: { cluster: worker, ...timesOf(method), retry_policy: retryPolicy(method) },
  }));
}

function timesOf(method: DescMethod): object {
  const max = policyOf(method)?.timeout?.max;
  const most = max && seconds(max, LATER_MS);
  return {
    // The time between the last byte of the request and the last of the response: not what bounds a call.
    timeout: "0s",
    idle_timeout: most ?? `${SILENT_MS / 1_000}s`,
    // For who sends a deadline; 0s: it holds as it is. With a bound for others too, Envoy would send that on as
    // if it were theirs, and the worker's own default would never apply.
    max_stream_duration: { grpc_timeout_header_max: most ?? "0s" },
  };
}

function retryPolicy(method: DescMethod): object {
  const { harmless, retry } = rulesOf(method);
  const attempts = retry?.maxAttempts ?? 3;
  const base = retry?.initialBackoff ?? "0.05s";
  const conditions = harmless && attempts > 1 ? [...UNSEEN, "reset", ...codes(retry, method)] : UNSEEN;
  return {
    retry_on: conditions.join(","),
    num_retries: Math.max(attempts - 1, 1),
    retry_back_off: { base_interval: base, max_interval: retry?.maxBackoff ?? "1s" },
    // Another worker than the one that has failed: it may be the only one that is overloaded.
    retry_host_predicate: [
      {
        name: "envoy.retry_host_predicates.previous_hosts",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
        },
      },
    ],
    host_selection_retry_max_attempts: 5,
  };
}

/** `gantry.v1.Retry`, in JSON. */
interface Retry {
  readonly maxAttempts?: number;
  readonly initialBackoff?: string;
  readonly maxBackoff?: string;
  readonly codes?: readonly string[];
}

function rulesOf(method: DescMethod): { harmless: boolean; retry: Retry | undefined } {
  const policy = policyOf(method);
  // The shape is that of gantry/v1/policy.proto.
  const { retry } = (policy ? toJson(PolicySchema, policy) : {}) as { retry?: Retry };
  const harmless = method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
  return { harmless: harmless || retry !== undefined, retry };
}

function codes(retry: Retry | undefined, method: DescMethod): string[] {
  return (retry?.codes?.length ? retry.codes : ["UNAVAILABLE"]).map((code) => {
    const condition = RETRIABLE[code];
    if (condition !== undefined) return condition;
    const known = Object.keys(RETRIABLE).join(", ");
    throw new Error(
      `${methodName(method)}: Envoy cannot repeat calls that failed with ${code}, only ${known}.`,
    );
  });
}

function policyOf(method: DescMethod): Policy | undefined {
  return hasOption(method, policyOption) ? getOption(method, policyOption) : undefined;
}

function seconds(duration: Duration, moreMs: number): string {
  return `${(durationMs(duration) + moreMs) / 1_000}s`;
}
