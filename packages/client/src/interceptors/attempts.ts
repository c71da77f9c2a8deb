/** What `retry` and `hedging` have in common: attempts at a call, and whether there may be another one. */
import type { DescMethod } from "@bufbuild/protobuf";
import { RetryInfoSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import {
  type AttemptPolicy,
  attemptPolicyOf,
  durationMs,
  Metadata,
  methodName,
  type RetryPolicy,
  RpcError,
} from "@gantry/rpc";
import { failureOf } from "../failure.ts";
import type { ClientCall } from "../interceptor.ts";
import { type RetryBudget, retryBudget } from "./retry-budget.ts";

export interface AttemptOptions {
  /** What bounds the attempts after the first ones. Default: a budget of its own. */
  readonly budget?: RetryBudget;
  /** Default: `setTimeout`. */
  readonly startTimer?: StartTimer;
}

/** Runs a function after so many milliseconds, at most 2^31 - 1. What it gives back prevents that. */
export type StartTimer = (run: () => void, delayMs: number) => () => void;

const startNodeTimer: StartTimer = (run, delayMs) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};

export function withDefaults({ budget = retryBudget(), startTimer = startNodeTimer }: AttemptOptions) {
  return { budget, startTimer };
}

/** @throws TypeError where the method's proto declares a policy that cannot be held */
export function policyOf(method: DescMethod): AttemptPolicy {
  const problems: string[] = [];
  const policy = attemptPolicyOf(method, problems);
  if (problems.length === 0) return policy;
  throw new TypeError(problems.map((problem) => `${methodName(method)}: ${problem}`).join("\n"));
}

/**
 * One attempt at a call: what the rest of the chain changes in it, the others do not see.
 *
 * @param previous how many attempts came before
 */
export function attemptOf(
  call: ClientCall,
  previous: number,
  own: Pick<ClientCall, "signal" | "requests">,
): ClientCall {
  const headers = new Metadata(call.headers);
  if (previous > 0) headers.set("grpc-previous-rpc-attempts", String(previous));
  return { ...call, headers, ...own };
}

/** Whether a failure is one that another attempt may mend. */
export function isRepeatable(error: unknown, { codes }: RetryPolicy): error is RpcError {
  if (!(error instanceof RpcError)) return false;
  const failure = failureOf(error);
  return failure === "unsent" || (failure === undefined && codes.has(error.code));
}

/** When the server that failed an attempt wants the next one; undefined: never. */
export function wishOf(error: RpcError): Wish | undefined {
  const text = error.metadata.getAll("grpc-retry-pushback-ms")[0];
  if (text !== undefined && !(typeof text === "string" && /^\d+$/.test(text))) return undefined;
  const delays = error
    .details(RetryInfoSchema)
    .map(({ retryDelay }) => (retryDelay ? durationMs(retryDelay) : 0));
  return { pushbackMs: text === undefined ? undefined : Number(text), atLeastMs: Math.max(0, ...delays) };
}

export interface Wish {
  /** In place of the client's own pause. Undefined: as the client likes. */
  readonly pushbackMs: number | undefined;
  readonly atLeastMs: number;
}

/** Whether the call still has some time after such a pause. */
export function leavesTime({ deadline = Number.POSITIVE_INFINITY }: ClientCall, pauseMs: number): boolean {
  return pauseMs <= MAX_TIMER_MS && Date.now() + pauseMs < deadline;
}

/** The longest delay that a timer of Node.js takes: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;
