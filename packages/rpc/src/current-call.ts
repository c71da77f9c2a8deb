/**
 * The call that is being handled, for whatever the handler does in the meantime: the client kit reads
 * here how much time is left, when to give up, and which trace to go on with, so that nobody has to
 * hand it on. A worker sets it around each handler; it follows the handler through everything that it
 * awaits, and to no other call.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** What calls that a handler makes take over from the call that it handles. */
export interface CurrentCall {
  /** When the call has to be over, in milliseconds since the epoch; undefined: never. */
  readonly deadline: number | undefined;
  /** Aborts when the call was cancelled or its deadline passed. */
  readonly signal: AbortSignal;
  /** The W3C `traceparent` that calls made inside this one send. */
  readonly traceParent: string;
  /** The `tracestate` that came beside the caller's `traceparent`. */
  readonly traceState: string | undefined;
}

const storage = new AsyncLocalStorage<CurrentCall>();

/** The call that is being handled; undefined outside of handlers. */
export function currentCall(): CurrentCall | undefined {
  return storage.getStore();
}

/** Does a handler's work: what it calls finds `call` as the current one. */
export function runAsCurrentCall<Args extends readonly unknown[], Result>(
  call: CurrentCall,
  work: (...args: Args) => Result,
  ...args: Args
): Result {
  return storage.run(call, work, ...args);
}

/**
 * Does work that belongs to no call: it goes on when the current one has ended, and takes nothing over
 * from it.
 *
 * ```ts
 * sayHello({ name }) {
 *   detached(() => audit.record({ name })).catch(…);  // may take longer than the greeting
 *   return { reply: `Hello ${name}` };
 * }
 * ```
 */
export function detached<Result>(work: () => Result): Result {
  return storage.exit(work);
}
