import type { RetryPolicy } from "@gantry/rpc";
import type { ClientCall, ClientInterceptor } from "../interceptor.ts";
import { cancelledBy } from "../local-errors.ts";
import {
  type AttemptOptions,
  attemptOf,
  isRepeatable,
  leavesTime,
  policyOf,
  type StartTimer,
  type Wish,
  wishOf,
  withDefaults,
} from "./attempts.ts";
import { isHedged } from "./hedging.ts";
import { KeptRequests } from "./kept-requests.ts";

export interface RetryOptions extends AttemptOptions {
  /** From 0 up to 1, for the jitter of pauses. Default: `Math.random`. */
  readonly random?: () => number;
}

/**
 * Repeats calls that failed, with growing pauses, as the method's `retry` policy says. Without one, a method
 * whose `idempotency_level` is NO_SIDE_EFFECTS or IDEMPOTENT has three attempts where it fails with
 * UNAVAILABLE, 50 and 100 ms apart; calls of other methods are repeated only where no server has seen them.
 *
 * A call is never repeated once its answer has begun (one message that was lost with its connection, of which the
 * caller has had nothing, does not count as begun), and not where its budget is used up. `RetryInfo` and
 * `grpc-retry-pushback-ms` are obeyed: where the pause does not fit before the deadline, the call fails at
 * once. It fails with the error of the last attempt. Streamed requests are kept for the next attempt up to
 * 64 KiB or 1,024 messages; past that the call is not repeated.
 *
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 *
 * @throws TypeError, when a client is made, where a method's policy cannot be held
 */
export function retry(options: RetryOptions = {}): ClientInterceptor {
  const { budget, startTimer } = withDefaults(options);
  const { random = Math.random } = options;
  return (next, method) => {
    const policy = policyOf(method).retry;
    if (policy.maxAttempts === 1) return next;
    return async (call) => {
      if (isHedged(call)) return next(call);
      const requests = call.requests && new KeptRequests(method.input, call.requests);
      const mayRepeat = (pauseMs: number) =>
        budget.allows() && leavesTime(call, pauseMs) && !call.signal?.aborted && requests?.complete !== false;
      try {
        for (let attempts = 1, backoffs = 0; ; attempts += 1) {
          const own = { signal: call.signal, requests: requests?.fromFirst() };
          try {
            const response = await next(attemptOf(call, attempts - 1, own));
            budget.succeeded();
            requests?.commit();
            return response;
          } catch (error) {
            if (!isRepeatable(error, policy)) throw error;
            budget.failed();
            const wish = wishOf(error);
            if (!wish || attempts === policy.maxAttempts) throw error;
            // gRPC counts pauses of the client's own from the last one that a server asked for.
            backoffs = wish.pushbackMs === undefined ? backoffs + 1 : 0;
            const pauseMs = pauseBefore(wish, backoffs, policy, random);
            if (!mayRepeat(pauseMs)) throw error;
            await pause(call, pauseMs, startTimer);
            // While it paused, others may have used the budget up, and one more request may have been too many.
            if (!mayRepeat(0)) throw error;
          }
        }
      } catch (error) {
        requests?.release();
        throw error;
      }
    };
  };
}

function pauseBefore(
  { pushbackMs, atLeastMs }: Wish,
  backoffs: number,
  { initialBackoffMs, maxBackoffMs }: RetryPolicy,
  random: () => number,
): number {
  const backoffMs = Math.min(initialBackoffMs * 2 ** (backoffs - 1), maxBackoffMs) * (0.8 + 0.4 * random());
  return Math.max(pushbackMs ?? backoffMs, atLeastMs);
}

/** @throws RpcError where the call is cancelled before */
function pause({ signal }: ClientCall, pauseMs: number, startTimer: StartTimer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopTimer = startTimer(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, pauseMs);
    const onAbort = () => {
      stopTimer();
      if (signal) reject(cancelledBy(signal));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
