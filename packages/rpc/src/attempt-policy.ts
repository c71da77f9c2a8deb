import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { type Duration, MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { type Hedging, policy, type Retry } from "@gantry/proto/gantry/v1/policy_pb.js";
import { Code, codeName } from "./code.ts";
import { durationMs } from "./duration.ts";

/** When clients make more than one attempt at a method's calls, by its `idempotency_level` and its policy. */
export interface AttemptPolicy {
  readonly retry: RetryPolicy;
  /** Undefined: attempts come one after the other. */
  readonly hedging: HedgingPolicy | undefined;
}

export interface RetryPolicy {
  /** The first included; 1: no call is repeated. */
  readonly maxAttempts: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  /** The failures that are worth another attempt. None: only what no server has seen is sent again. */
  readonly codes: ReadonlySet<Code>;
}

export interface HedgingPolicy {
  /** The first included. */
  readonly maxAttempts: number;
  /** How long an attempt waits for an answer before the next one is made. */
  readonly delayMs: number;
}

/** As in gRPC: https://github.com/grpc/proposal/blob/master/A6-client-retries.md */
const MOST_ATTEMPTS = 5;
const NO_CODES: ReadonlySet<Code> = new Set();
const UNAVAILABLE: ReadonlySet<Code> = new Set([Code.Unavailable]);

/** @param problems takes what is wrong with the policy that the proto declares, as sentences */
export function attemptPolicyOf(method: DescMethod, problems: string[]): AttemptPolicy {
  const declared = hasOption(method, policy) ? getOption(method, policy) : undefined;
  const harmless = method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
  return {
    retry: declared?.retry
      ? declaredRetry(declared.retry, problems)
      : {
          maxAttempts: 3,
          initialBackoffMs: 50,
          maxBackoffMs: 1_000,
          codes: harmless ? UNAVAILABLE : NO_CODES,
        },
    hedging: declared?.hedging && declaredHedging(declared.hedging, method, harmless, problems),
  };
}

function declaredRetry(
  { maxAttempts = 3, initialBackoff, maxBackoff, codes }: Retry,
  problems: string[],
): RetryPolicy {
  checkAttempts("retry.max_attempts", maxAttempts, 1, problems);
  const initialMs = initialBackoff && atLeast1Ms("retry.initial_backoff", initialBackoff, problems);
  const maxMs = maxBackoff && atLeast1Ms("retry.max_backoff", maxBackoff, problems);
  if (initialMs !== undefined && maxMs !== undefined && maxMs < initialMs) {
    problems.push(
      `retry.max_backoff is ${maxMs}ms, and initial_backoff ${initialMs}ms: expected no less than that`,
    );
  }
  const known = new Set<Code>(Object.values(Code));
  for (const code of codes) {
    if (code === Code.Ok || !known.has(code)) {
      problems.push(`retry.codes names ${codeName(code)}: expected codes of failures`);
    }
  }
  return {
    maxAttempts,
    initialBackoffMs: initialMs ?? Math.min(50, maxMs ?? 50),
    maxBackoffMs: maxMs ?? Math.max(1_000, initialMs ?? 0),
    codes: codes.length > 0 ? new Set(codes) : UNAVAILABLE,
  };
}

function declaredHedging(
  { maxAttempts = 2, delay }: Hedging,
  { methodKind }: DescMethod,
  harmless: boolean,
  problems: string[],
): HedgingPolicy {
  if (!harmless) {
    problems.push(
      "hedging makes calls more than once: expected idempotency_level NO_SIDE_EFFECTS or IDEMPOTENT beside it",
    );
  }
  if (methodKind === "client_streaming" || methodKind === "bidi_streaming") {
    problems.push("hedging is for methods that take one request message, and this one streams them");
  }
  checkAttempts("hedging.max_attempts", maxAttempts, 2, problems);
  if (!delay) problems.push("hedging has no delay: expected a duration of at least 1ms");
  return { maxAttempts, delayMs: delay ? atLeast1Ms("hedging.delay", delay, problems) : 0 };
}

function checkAttempts(what: string, found: number, least: number, problems: string[]): void {
  if (found >= least && found <= MOST_ATTEMPTS) return;
  problems.push(`${what} is ${found}: expected ${least} to ${MOST_ATTEMPTS}`);
}

function atLeast1Ms(what: string, duration: Duration, problems: string[]): number {
  const ms = durationMs(duration);
  if (ms < 1) problems.push(`${what} is ${ms}ms: expected at least 1ms`);
  return ms;
}
