/** How clients leave before their call is over, and how that is told from a stream that has come to its end. */
import type { RpcError } from "@gantry/rpc";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { type Call, cancelled, deadlineExceeded } from "../../call.ts";

/** By so much may a client be early: its deadline runs from before its call came here. */
const EARLY_MS = 50;

/** When a call has to be over, in milliseconds since the epoch; undefined: its client set no deadline. */
export function deadlineOf(wire: ServerInterceptingCallInterface): number | undefined {
  const deadline = Number(wire.getDeadline());
  return deadline === Number.POSITIVE_INFINITY ? undefined : deadline;
}

/** Why a client that left did so. Clients reset their calls at their deadline; the worker's own is a moment later. */
export function leftBecause(deadline: number | undefined, call: Call | undefined): RpcError {
  if (deadline === undefined) return cancelled();
  const earlyMs = Math.min(EARLY_MS, call?.elapsedMs() ?? 0);
  return Date.now() >= deadline - earlyMs ? deadlineExceeded() : cancelled();
}

/** Clients that stand on Node.js's HTTP/2, by what they call themselves in `user-agent`. */
const NODE_CLIENTS = ["grpc-node-js/", "connect-es/"];
/** Between the two frames lies one turn of the client's event loop. */
const RESET_FOLLOWS_WITHIN_MS = 5;

/**
 * Calls `end` when a stream that was half-closed is known to be whole.
 *
 * grpc-js says of a stream that was reset, too, that its messages have ended, a tick before it says that
 * the call was cancelled: so `end` waits for the next tick. And a client that stands on Node.js's HTTP/2
 * cancels a call by ending its stream in good order first, and resetting it in a write of its own behind
 * that: half an upload would look like all of it. Streams of such clients wait for the reset to arrive.
 * https://github.com/grpc/grpc-node/issues/205
 */
export function whenWhole(userAgent: string | undefined, end: () => void): void {
  if (userAgent === undefined || !NODE_CLIENTS.some((name) => userAgent.includes(name)))
    process.nextTick(end);
  // Behind the timer, what has arrived meanwhile is read before an immediate runs.
  else setTimeout(setImmediate, RESET_FOLLOWS_WITHIN_MS, end);
}

/**
 * Whether a stream has ended, and its last message has not. grpc-js drops such a message without a word;
 * only its decoder knows, a part that is not public, so what is not found there counts as no.
 */
export function endsInMessage(wire: ServerInterceptingCallInterface): boolean {
  const decoder: unknown = Reflect.get(wire, "decoder");
  if (typeof decoder !== "object" || decoder === null) return false;
  const state: unknown = Reflect.get(decoder, "readState");
  return typeof state === "number" && state !== BETWEEN_MESSAGES;
}

/** `ReadState.NO_DATA` of grpc-js's stream-decoder.ts. */
const BETWEEN_MESSAGES = 0;
