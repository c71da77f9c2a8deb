import { RpcError } from "@gantry/rpc";

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

const lost = new WeakSet<RpcError>();

/** Notes that it was the end of the connection that the call failed with, and no word of the server's. */
export function noteLost(error: RpcError): RpcError {
  lost.add(error);
  return error;
}

/**
 * Whether a call failed as its server could not be reached, and how. Its error then is this side's own, and may
 * name addresses; undefined: it failed in some other way, of which the server may have told.
 *
 * - `unsent`: no server has seen the call, so that it can be made again without being done twice;
 * - `lost`: the connection ended before the call did, and nobody knows whether the server has done it.
 */
export function connectionFailure(error: unknown): "unsent" | "lost" | undefined {
  if (!(error instanceof RpcError)) return undefined;
  if (known.get(error) === "unsent") return "unsent";
  return lost.has(error) ? "lost" : undefined;
}
