/**
 * # Client interceptors
 *
 * What a client does around a call is an interceptor: it gets the rest of the chain as `next` once, when
 * the client is made, and gives back a function that runs for each call.
 *
 * ```ts
 * const stamp: ClientInterceptor = (next) => (call) => {
 *   call.headers.set("x-sent-at", String(Date.now()));   // outbound: in the order given
 *   return next(call);                                   // inbound: in reverse
 * };
 * ```
 *
 * One type serves all four kinds of call; `call.requests` is there where the method streams its
 * requests, `response.messages` where it streams its responses. Outbound (start, each request message,
 * half-close) interceptors run in the order in which they were given; inbound (headers, each response
 * message, status) in reverse. A call fails by rejecting, or by its stream throwing, with an `RpcError`.
 */
import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { Metadata } from "@gantry/rpc";
import type { CallCredentials } from "./credentials.ts";

/** Composed once per client and method. */
export type ClientInterceptor = (next: ClientNext, method: DescMethod) => ClientNext;

export type ClientNext = (call: ClientCall) => Promise<ClientResponse>;

/** A call on its way out. Interceptors may change what is not read-only before they pass it on. */
export interface ClientCall {
  readonly method: DescMethod;
  /** Where the client sends its calls, as it was given: `dns:///greeter:50051`. */
  readonly target: string;
  /** Whether what is sent can be read on the way: plaintext to a host that is not this one. */
  readonly exposed: boolean;
  readonly headers: Metadata;
  /** When the call has to be over, in milliseconds since the epoch; undefined: never. */
  deadline: number | undefined;
  /** Cancels the call. */
  signal: AbortSignal | undefined;
  /** Asked for headers when the call goes out, after all interceptors, and each time that it does. */
  credentials?: CallCredentials | undefined;
  /** Told the length of each message on the wire, before compression, for every attempt at the call. */
  countBytes?: ((direction: "sent" | "received", bytes: number) => void) | undefined;
  /** The one request message; undefined where the method streams its requests. */
  request: Message | undefined;
  /** The request messages; undefined where the method takes one. */
  requests: AsyncIterable<Message> | undefined;
}

/** What comes back: at the end of a call with one response message, at the headers of one that streams them. */
export interface ClientResponse {
  readonly headers: Metadata;
  /** The one response message; undefined where the method streams its responses. */
  message: Message | undefined;
  /** The response messages; undefined where the method answers with one. */
  messages: AsyncIterable<Message> | undefined;
  /** Filled when the call is over. Those of a call that fails are on its error. */
  readonly trailers: Metadata;
}
