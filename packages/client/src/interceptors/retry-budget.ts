/**
 * What keeps repeated calls from making an outage worse: a failure takes one token, a success gives a part of
 * one back, and while no more than half of them are left, calls fail with what they got. Interceptors that
 * are given the same budget share it.
 *
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md, "Throttling Configuration".
 */
export interface RetryBudget {
  /** Whether there may be attempts after a call's first. */
  allows(): boolean;
  /** An attempt failed in a way that another one may mend. */
  failed(): void;
  /** A call was answered. */
  succeeded(): void;
}

export interface RetryBudgetOptions {
  /** How many tokens there are at first, and at most: up to 1,000. Default 100: enough for the calls in flight on one server that dies. */
  readonly maxTokens?: number;
  /** What a success gives back, to the thousandth. Default 0.1. */
  readonly tokenRatio?: number;
}

/** @throws TypeError where a number is out of its range */
export function retryBudget({ maxTokens = 100, tokenRatio = 0.1 }: RetryBudgetOptions = {}): RetryBudget {
  // In thousandths, so that nothing is rounded.
  const most = inThousandths("maxTokens", maxTokens);
  const gained = inThousandths("tokenRatio", tokenRatio);
  let left = most;
  return {
    allows: () => left > most / 2,
    failed() {
      left = Math.max(0, left - 1_000);
    },
    succeeded() {
      left = Math.min(most, left + gained);
    },
  };
}

function inThousandths(name: string, value: number): number {
  const thousandths = Math.round(value * 1_000);
  if (thousandths >= 1 && thousandths <= 1_000_000) return thousandths;
  throw new TypeError(`retryBudget() was given a ${name} of ${value}: expected a number from 0.001 to 1000.`);
}
