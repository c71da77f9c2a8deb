import { deadlineExceeded } from "../call.ts";
import type { Interceptor } from "../interceptor.ts";

/**
 * The deadline in force: the client's, or the policy's default, never past the policy's greatest.
 * A call whose deadline has passed, or that its transport has given up, goes no further.
 */
export const deadline: Interceptor = (next, method) => (call) => {
  const { timeoutDefaultMs, timeoutMaxMs } = method.policy;
  if (timeoutDefaultMs !== undefined || timeoutMaxMs !== undefined || call.deadline !== undefined) {
    const now = Date.now();
    if (timeoutDefaultMs !== undefined && call.deadline === undefined) {
      call.tightenDeadline(now + timeoutDefaultMs);
    }
    if (timeoutMaxMs !== undefined) call.tightenDeadline(now + timeoutMaxMs);
    if (call.deadline !== undefined && call.deadline <= now) call.abort(deadlineExceeded());
  }
  if (call.failure) throw call.failure;
  return next(call);
};
