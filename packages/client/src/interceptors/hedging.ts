import { type AttemptPolicy, Code, type HedgingPolicy, RpcError } from "@gantry/rpc";
import { noteFailure } from "../failure.ts";
import type { ClientCall, ClientInterceptor, ClientNext, ClientResponse } from "../interceptor.ts";
import { cancelledBy } from "../local-errors.ts";
import {
  type AttemptOptions,
  attemptOf,
  isRepeatable,
  leavesTime,
  policyOf,
  wishOf,
  withDefaults,
} from "./attempts.ts";

export type HedgingOptions = AttemptOptions;

/**
 * Makes a call again while its answer is still awaited, where the method's `hedging` policy says so: one more
 * attempt after each `delay`, and at once where one fails as `retry` may mend. The first that is answered, or
 * fails in another way, ends the call, and the others are cancelled. Where a method streams its responses,
 * the headers are the answer.
 *
 * The budget bounds the attempts after the first; `RetryInfo` and `grpc-retry-pushback-ms` are obeyed. Beside
 * `retry`, in any order, a call that is hedged is not retried as well.
 *
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md, "Hedging Policy".
 *
 * @throws TypeError, when a client is made, where a method's policy cannot be held
 */
export function hedging(options: HedgingOptions = {}): ClientInterceptor {
  const shared = withDefaults(options);
  return (next, method) => {
    const { retry, hedging } = policyOf(method);
    if (!hedging) return next;
    const host: Host = { ...shared, next, retry, hedging };
    return (call) => new HedgedCall(host, call).start();
  };
}

/** Whether a call is one of several attempts, which are not repeated each. */
export function isHedged(call: ClientCall): boolean {
  return HEDGED in call;
}

/** Marks an attempt, and every copy that an interceptor makes of it. */
const HEDGED = Symbol("hedged");

/** What all hedged calls of a method have in common. */
interface Host extends Required<AttemptOptions>, AttemptPolicy {
  readonly next: ClientNext;
  readonly hedging: HedgingPolicy;
}

class HedgedCall {
  readonly #host: Host;
  readonly #call: ClientCall;
  readonly #answer = Promise.withResolvers<ClientResponse>();
  /** One for each attempt that is in flight. */
  readonly #inFlight = new Set<AbortController>();
  #attempts = 0;
  #maxAttempts: number;
  #over = false;
  /** There is one while another attempt is to come. */
  #stopTimer: (() => void) | undefined;

  constructor(host: Host, call: ClientCall) {
    this.#host = host;
    this.#call = call;
    this.#maxAttempts = host.hedging.maxAttempts;
  }

  start(): Promise<ClientResponse> {
    this.#call.signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#attempt();
    return this.#answer.promise;
  }

  #attempt(): void {
    const { next, hedging } = this.#host;
    const controller = new AbortController();
    const signals = [this.#call.signal, controller.signal].filter((signal) => signal !== undefined);
    const own = { signal: AbortSignal.any(signals), requests: undefined };
    const attempt = { ...attemptOf(this.#call, this.#attempts, own), [HEDGED]: true };
    this.#attempts += 1;
    this.#inFlight.add(controller);
    Promise.try(next, attempt).then(
      (response) => this.#answered(controller, response),
      (error) => this.#failed(controller, error),
    );
    this.#attemptAfter(hedging.delayMs);
  }

  /** Another attempt after so long, where there may be one; in place of the one that was to come. */
  #attemptAfter(delayMs: number, error?: RpcError): void {
    const { startTimer, budget } = this.#host;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#attempts >= this.#maxAttempts || !budget.allows() || !leavesTime(this.#call, delayMs)) return;
    this.#stopTimer = startTimer(() => {
      this.#stopTimer = undefined;
      // Others may have used the budget up meanwhile.
      if (budget.allows()) this.#attempt();
      else this.#endWhereNoneIsLeft(error);
    }, delayMs);
  }

  #answered(controller: AbortController, response: ClientResponse): void {
    this.#inFlight.delete(controller);
    if (this.#over) return;
    this.#host.budget.succeeded();
    this.#end();
    this.#answer.resolve(response);
  }

  #failed(controller: AbortController, error: unknown): void {
    this.#inFlight.delete(controller);
    if (this.#over) return;
    const { retry, budget } = this.#host;
    if (!isRepeatable(error, retry)) {
      this.#end();
      this.#answer.reject(error);
      return;
    }
    budget.failed();
    const wish = wishOf(error);
    if (!wish) this.#maxAttempts = 0;
    this.#attemptAfter(Math.max(wish?.pushbackMs ?? 0, wish?.atLeastMs ?? 0), error);
    this.#endWhereNoneIsLeft(error);
  }

  #endWhereNoneIsLeft(error: RpcError | undefined): void {
    if (!error || this.#inFlight.size > 0 || this.#stopTimer) return;
    this.#end();
    this.#answer.reject(noteFailure(error, "final"));
  }

  #end(): void {
    this.#over = true;
    this.#stopTimer?.();
    this.#call.signal?.removeEventListener("abort", this.#onAbort);
    const lost = new RpcError(Code.Cancelled, "Another attempt at the call ended it.");
    for (const controller of this.#inFlight) controller.abort(lost);
  }

  readonly #onAbort = () => {
    const { signal } = this.#call;
    if (!signal) return;
    this.#end();
    this.#answer.reject(cancelledBy(signal));
  };
}
