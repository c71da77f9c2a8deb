import {
  create,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { type Client, Code, Metadata, RpcError } from "@gantry/rpc";
import { attempt } from "./attempt.ts";
import { type Channel, type Connection, OpenChannel } from "./channel.ts";
import type { ClientCallOptions } from "./credentials.ts";
import type { ClientCall, ClientInterceptor, ClientNext } from "./interceptor.ts";
import { deadline } from "./interceptors/deadline.ts";
import { messagesOf } from "./streams.ts";
import type { ConnectionOptions } from "./transport/transport.ts";

export interface ClientOptions {
  /** Outermost first. Default: none. */
  readonly interceptors?: readonly ClientInterceptor[];
}

/** A typed client of a service: one function per method. */
export type ServiceClient<S extends DescService> = Client<S, ClientCallOptions>;

/**
 * A typed client with connections of its own: beside the service's methods, `ready`, `close` and
 * `Symbol.asyncDispose`. Where the service has methods of those names, they are the service's; `connect`
 * a channel and give that to `createClient` to have both.
 */
export type ConnectedClient<S extends DescService> = ServiceClient<S> &
  Omit<Connection, Extract<keyof S["method"], "ready" | "close">>;

/**
 * ```ts
 * await using greeter = createClient(Greeter, "dns:///greeter:50051");
 * const { reply } = await greeter.sayHello({ name: "七米" });
 * ```
 *
 * @param target `dns:///host:port`, `host:port`, `ipv4:…`, `ipv6:…` or `unix:…`, as gRPC names them, or `etcd:///name`
 * @throws TypeError where the target is none
 */
export function createClient<S extends DescService>(
  service: S,
  target: string,
  options?: ClientOptions & ConnectionOptions,
): ConnectedClient<S>;
/** A client on a channel that it shares with others, and does not close. */
export function createClient<S extends DescService>(
  service: S,
  channel: Channel,
  options?: ClientOptions,
): ServiceClient<S>;
export function createClient(
  service: DescService,
  to: string | Channel,
  options: ClientOptions & ConnectionOptions = {},
): object {
  const channel = typeof to === "string" ? new OpenChannel(to, options) : to;
  if (!(channel instanceof OpenChannel)) {
    throw new TypeError("createClient() was given a channel of another making: expected one of connect().");
  }
  const methods = service.methods.map((method) => [
    method.localName,
    clientMethod(method, channel, options.interceptors ?? []),
  ]);
  return { ...(typeof to === "string" && controlsOf(channel)), ...Object.fromEntries(methods) };
}

function controlsOf(channel: OpenChannel): Connection {
  return {
    ready: (timeoutMs) => channel.ready(timeoutMs),
    close: (timeoutMs) => channel.close(timeoutMs),
    [Symbol.asyncDispose]: () => channel.close(),
  };
}

type Init = MessageInitShape<DescMethod["input"]>;

function clientMethod(method: DescMethod, channel: OpenChannel, interceptors: readonly ClientInterceptor[]) {
  const next = [deadline, ...interceptors].reduceRight<ClientNext>(
    (inner, interceptor) => interceptor(inner, method),
    attempt(channel.transport, method),
  );
  const { input } = method;
  // What a method takes was checked against its kind by the client's types.
  const one = (request: Init) => ({ request: create(input, request), requests: undefined });
  const many = (requests: AsyncIterable<Init> | Iterable<Init>) => ({
    request: undefined,
    requests: messagesOf(requests, (init) => create(input, init)),
  });
  switch (method.methodKind) {
    case "unary":
      return (request: Init, options?: ClientCallOptions) =>
        answer(next, channel, options, () => callOf(method, channel, one(request), options));
    case "client_streaming":
      return (requests: AsyncIterable<Init>, options?: ClientCallOptions) =>
        answer(next, channel, options, () => callOf(method, channel, many(requests), options));
    case "server_streaming":
      return (request: Init, options?: ClientCallOptions) =>
        answers(next, channel, options, () => callOf(method, channel, one(request), options));
    case "bidi_streaming":
      return (requests: AsyncIterable<Init>, options?: ClientCallOptions) =>
        answers(next, channel, options, () => callOf(method, channel, many(requests), options));
  }
}

function callOf(
  method: DescMethod,
  { target, exposed }: OpenChannel,
  payload: Pick<ClientCall, "request" | "requests">,
  { headers, timeoutMs, signal, credentials }: ClientCallOptions = {},
): ClientCall {
  return {
    method,
    target,
    exposed,
    headers: new Metadata(headers),
    deadline: timeoutMs === undefined ? undefined : Date.now() + timeoutMs,
    signal,
    credentials,
    ...payload,
  };
}

/** A call with one response message. */
async function answer(
  next: ClientNext,
  channel: OpenChannel,
  options: ClientCallOptions | undefined,
  begin: () => ClientCall,
): Promise<Message> {
  channel.enter();
  try {
    const { headers, message, trailers } = await next(begin());
    if (!message) throw new TypeError("an interceptor answered without a message");
    options?.onHeaders?.(headers);
    options?.onTrailers?.(trailers);
    return message;
  } catch (error) {
    throw failed(error, options);
  } finally {
    channel.leave();
  }
}

/** A call that streams its response messages. It begins when the first one is asked for. */
async function* answers(
  next: ClientNext,
  channel: OpenChannel,
  options: ClientCallOptions | undefined,
  begin: () => ClientCall,
): AsyncGenerator<Message, void, undefined> {
  channel.enter();
  try {
    const { headers, messages, trailers } = await next(begin());
    if (!messages) throw new TypeError("an interceptor answered without a stream of messages");
    options?.onHeaders?.(headers);
    yield* messages;
    options?.onTrailers?.(trailers);
  } catch (error) {
    throw failed(error, options);
  } finally {
    channel.leave();
  }
}

function failed(error: unknown, options: ClientCallOptions | undefined): RpcError {
  const failure =
    error instanceof RpcError
      ? error
      : new RpcError(
          Code.Internal,
          `The call failed on the client's own side: ${error instanceof Error ? error.message : error}.`,
          [],
          { cause: error },
        );
  options?.onTrailers?.(failure.metadata);
  return failure;
}
