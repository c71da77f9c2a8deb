import type { RpcError } from "@gantry/rpc";

/**
 * What is known of a failed attempt on this side, and is not in its status:
 *
 * - `unsent`: no server has seen the call, so that it cannot be done twice;
 * - `answering`: its answer had begun;
 * - `final`: it is not to be repeated, as all attempts would fail alike, or enough were made.
 */
export type Failure = "unsent" | "answering" | "final";

const known = new WeakMap<RpcError, Failure>();

/** Notes what is known of the attempt that failed with this error; what is final remains so. */
export function noteFailure(error: RpcError, failure: Failure): RpcError {
  if (known.get(error) !== "final") known.set(error, failure);
  return error;
}

/** Undefined: a server may have seen the call, and had not begun to answer. */
export function failureOf(error: RpcError): Failure | undefined {
  return known.get(error);
}
