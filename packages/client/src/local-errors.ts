/** What calls fail with on this side, whatever the server makes of them. */
import { Code, RpcError } from "@gantry/rpc";

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
  return new RpcError(Code.Unavailable, `The client of ${target} is closed.`);
}
