/** What calls fail with on this side, whatever the server makes of them. */
import { Code, RpcError } from "@gantry/rpc";
import { noteFailure } from "./failure.ts";

export function cancelledBy({ reason }: AbortSignal): RpcError {
  // Inside a handler the signal is that of the handler's own call, which may have run out of time.
  if (reason instanceof RpcError && reason.code === Code.DeadlineExceeded) return deadlineExceeded(reason);
  return new RpcError(Code.Cancelled, "The caller cancelled the call.", [], { cause: reason });
}

export function deadlineExceeded(cause?: unknown): RpcError {
  return new RpcError(Code.DeadlineExceeded, "The call's deadline passed before it was answered.", [], {
    cause,
  });
}

export function closed(target: string): RpcError {
  return noteFailure(new RpcError(Code.Unavailable, `The client of ${target} is closed.`), "final");
}

/** What a call fails with whose target nothing can be reached by, as something is missing on this side. */
export function unusable(reason: string): RpcError {
  return noteFailure(new RpcError(Code.FailedPrecondition, reason), "final");
}

export function stoppedReading(): RpcError {
  return new RpcError(Code.Cancelled, "The caller stopped reading the responses.");
}

/** What a call fails with whose caller's own stream of requests has failed. */
export function brokenOff(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new RpcError(Code.Cancelled, `The requests broke off: ${text}`, [], { cause: error });
}
