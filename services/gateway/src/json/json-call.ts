import type { DescMethod, DescService, JsonValue, Message } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@gantry/rpc";
import type { JsonCodec } from "./json-codec.ts";

/** Gives clients that call the gateway's own methods, and so by way of its chain. */
export type ClientOf = <S extends DescService>(service: S) => Client<S>;

/** The one request, or all of them where the method streams them. */
export type Requests = Message | Iterable<Message> | AsyncIterable<Message>;

/** The requests of a call that were given at once. @throws RpcError INVALID_ARGUMENT where one is wrong */
export function readRequests(codec: JsonCodec, method: DescMethod, requests: readonly unknown[]): Requests {
  const messages = requests.map((request) => codec.read(method.input, request));
  const [only] = messages;
  return streamsRequests(method) || only === undefined ? messages : only;
}

/** Calls a method that answers once. */
export async function callForOne(
  codec: JsonCodec,
  clientOf: ClientOf,
  method: DescMethod,
  requests: Requests,
  options: CallOptions,
): Promise<JsonValue> {
  const call = methodOf<Promise<Message>>(clientOf, method);
  return codec.write(method.output, await call(requests, options));
}

/** Calls a method that streams its responses. Leaving the stream cancels the call, even one that waits. */
export function callForMany(
  codec: JsonCodec,
  clientOf: ClientOf,
  method: DescMethod,
  requests: Requests,
  options: CallOptions,
): AsyncIterableIterator<JsonValue, undefined> {
  const left = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
  const call = methodOf<AsyncIterable<Message>>(clientOf, method);
  const messages = call(requests, { ...options, signal })[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const { done, value } = await messages.next();
      return done ? { done, value: undefined } : { done: false, value: codec.write(method.output, value) };
    },
    async return() {
      left.abort();
      await messages.return?.();
      return { done: true, value: undefined };
    },
  };
}

export function streamsRequests({ methodKind }: DescMethod): boolean {
  return methodKind === "client_streaming" || methodKind === "bidi_streaming";
}

export function streamsResponses({ methodKind }: DescMethod): boolean {
  return methodKind === "server_streaming" || methodKind === "bidi_streaming";
}

/** A client has a function of the method's kind under each method's name; types cannot follow a name so far. */
function methodOf<Result>(clientOf: ClientOf, method: DescMethod) {
  return clientOf(method.parent)[method.localName] as unknown as (
    requests: Requests,
    options: CallOptions,
  ) => Result;
}
