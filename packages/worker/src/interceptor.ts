/**
 * # Interceptors
 *
 * Everything that a worker does around a handler is an interceptor: it gets the rest of the chain
 * as `next` once, at start-up, and gives back a function that runs for each call.
 *
 * ```ts
 * const slowCalls: Interceptor = (next) => async (call) => {
 *   const response = await next(call);            // throws what the handler threw
 *   if (call.elapsedMs() > 500) call.log.warn("slow");
 *   return response;
 * };
 * ```
 *
 * One type serves all four kinds of call. What a call carries in and out is told apart by its
 * method: `call.method.clientStreaming` says that `call.requests` holds the messages that are still
 * to come, `call.method.serverStreaming` that the response is an async iterable. An interceptor that
 * only wants to know how calls go is better written as a `Reporter` (see `interceptors/observe.ts`),
 * which need not care about kinds at all.
 */
import type { Message } from "@bufbuild/protobuf";
import type { Call } from "./call.ts";
import type { Method } from "./method.ts";

/** Composed once per method at start-up, never per call. `method` lets it do its per-method work there. */
export type Interceptor = (next: Next, method: Method) => Next;

/**
 * Runs a call. Throws or rejects with what the call fails with: an `RpcError`, or whatever a handler
 * threw. A call whose handler answers at once is answered at once: `await` takes both, and only what
 * is on the path of every call need tell them apart.
 */
export type Next = (call: Call) => Response | Promise<Response>;

/** One message where the method answers with one, else all of them as they come. */
export type Response = Message | AsyncIterable<Message>;
