import { Code, errorInfo, RpcError, retryInfo } from "@gantry/rpc";
import type { Interceptor } from "../interceptor.ts";

/** Turned away now is better than late for everybody; a second is enough for most bursts to pass. */
const RETRY_AFTER_MS = 1_000;

/** Turns calls away while more than `most` are in flight, and tells `onShed` of each. */
export function shed(inFlight: () => number, most: number, onShed: () => void): Interceptor {
  return (next) => (call) => {
    if (inFlight() <= most) return next(call);
    onShed();
    throw overloaded(most);
  };
}

/** What a call fails with that is turned away. */
export function overloaded(most: number): RpcError {
  return new RpcError(Code.Unavailable, `The worker is overloaded: more than ${most} calls are in flight.`, [
    retryInfo(RETRY_AFTER_MS),
    errorInfo("OVERLOADED", "gantry"),
  ]);
}
