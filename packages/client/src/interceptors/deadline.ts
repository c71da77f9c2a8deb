import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { policy } from "@gantry/proto/gantry/v1/policy_pb.js";
import { type CurrentCall, currentCall, durationMs } from "@gantry/rpc";
import type { ClientCall, ClientInterceptor } from "../interceptor.ts";
import { cancelledBy, deadlineExceeded } from "../local-errors.ts";

/**
 * The deadline in force: what the caller says, else what the method's policy has as its default. A call
 * made inside a handler also gets no more time than the handler's own call has left, is cancelled with
 * it, and goes on with its trace. Every client has this first, before the interceptors it was given.
 */
export const deadline: ClientInterceptor = (next, method) => {
  const defaultMs = defaultTimeoutMs(method);
  return (call) => {
    if (call.deadline === undefined && defaultMs !== undefined) call.deadline = Date.now() + defaultMs;
    const current = currentCall();
    if (current) inherit(call, current);
    return endInTime(call, () => next(call));
  };
};

function inherit(call: ClientCall, { deadline, signal, traceParent, traceState }: CurrentCall): void {
  if (deadline !== undefined) call.deadline = Math.min(deadline, call.deadline ?? deadline);
  call.signal = call.signal ? AbortSignal.any([call.signal, signal]) : signal;
  if (call.headers.has("traceparent")) return;
  call.headers.set("traceparent", traceParent);
  if (traceState !== undefined) call.headers.set("tracestate", traceState);
}

/**
 * Waits for no longer than the call's deadline and signal allow. The transport ends what is on the wire; what
 * interceptors wait for, such as a token, ends here.
 *
 * @param work is not begun where the call is over already
 */
export function endInTime<T>(
  { deadline, signal }: Pick<ClientCall, "deadline" | "signal">,
  work: () => Promise<T>,
): Promise<T> {
  if (deadline === undefined && !signal) return work();
  const leftMs = deadline === undefined ? Number.POSITIVE_INFINITY : deadline - Date.now();
  if (signal?.aborted) return Promise.reject(cancelledBy(signal));
  if (leftMs <= 0) return Promise.reject(deadlineExceeded());
  return new Promise<T>((resolve, reject) => {
    const timer = leftMs <= MAX_TIMER_MS ? setTimeout(() => reject(deadlineExceeded()), leftMs) : undefined;
    const onAbort = () => signal && reject(cancelledBy(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    const settled = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    work().finally(settled).then(resolve, reject);
  });
}

function defaultTimeoutMs(method: DescMethod): number | undefined {
  const timeout = hasOption(method, policy) ? getOption(method, policy).timeout?.default : undefined;
  return timeout && durationMs(timeout);
}

/** The longest delay that a timer of Node.js takes: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;
