import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import { connectionFailure } from "@gantry/client";
import { type CallOptions, type Client, Code, Metadata, RpcError, retryInfo } from "@gantry/rpc";
import { type CallContext, type Handlers, type Implementation, implement } from "@gantry/worker";
import { FORWARDED_FOR, isForwarded } from "./headers.ts";

export interface ForwardOptions {
  /** How long a worker may take to answer once, or to take one message of a stream, where no deadline says so. */
  readonly timeoutMs: number;
}

/**
 * A service whose handlers hand every call on to a worker. The client kit takes over what is left of the
 * caller's time, its cancellation and its trace; here headers go there and come back. Errors pass as they are,
 * details and trailers included.
 */
export function forward<S extends DescService>(
  service: S,
  client: Client<S>,
  options: ForwardOptions,
): Implementation {
  // A client has, by each method's name, a function of the method's kind, and so have handlers.
  const methods = client as unknown as Readonly<Record<string, ClientMethod>>;
  const handlers = service.methods.map((method) => {
    const call = methods[method.localName];
    if (!call) throw new TypeError(`The client of ${service.typeName} has no method ${method.localName}.`);
    return [method.localName, handler(method, call, options)];
  });
  return implement(service, Object.fromEntries(handlers) as Handlers<S>, { forwards: true });
}

/** A request, or a stream of them. */
type Payload = Message | AsyncIterable<Message>;
type ClientMethod = (payload: Payload, options: CallOptions) => Promise<Message> | AsyncIterable<Message>;

function handler(method: DescMethod, clientMethod: ClientMethod, { timeoutMs }: ForwardOptions) {
  switch (method.methodKind) {
    case "unary":
      return (request: Message, call: CallContext) =>
        answered(call, (options) =>
          clientMethod(request, { ...options, ...(call.deadline === undefined && { timeoutMs }) }),
        );
    case "client_streaming":
      return async (requests: AsyncIterable<Message>, call: CallContext) => {
        using patience = new Patience(timeoutMs);
        const taken = patience.while(requests, { untilAnswered: true });
        return await answered(call, (options) =>
          clientMethod(taken, { ...options, signal: patience.signal }),
        );
      };
    case "server_streaming":
      return (request: Message, call: CallContext) =>
        streamed(call, (options) => clientMethod(request, options));
    case "bidi_streaming":
      return (requests: AsyncIterable<Message>, call: CallContext) => {
        const patience = new Patience(timeoutMs);
        const taken = patience.while(requests, { untilAnswered: false });
        return streamed(
          call,
          (options) => clientMethod(taken, { ...options, signal: patience.signal }),
          () => patience[Symbol.dispose](),
        );
      };
  }
}

/** Each kind of method has a client function of its kind; these two take its result as what it then is. */
type Invoke = (options: CallOptions) => ReturnType<ClientMethod>;

async function answered(call: CallContext, invoke: Invoke): Promise<Message> {
  let trailers: Metadata | undefined;
  const answer = invoke({
    headers: headersFor(call),
    ...timeLeft(call),
    onHeaders: (headers) => append(call.headers, headers),
    onTrailers: (received) => {
      trailers = received;
    },
  }) as Promise<Message>;
  const message = await answer.catch((error) => passOn(call, error));
  // Those of a call that failed are on its error.
  if (trailers) append(call.trailers, trailers);
  return message;
}

function streamed(call: CallContext, invoke: Invoke, ended = () => {}): AsyncIterableIterator<Message> {
  let trailers: Metadata | undefined;
  const messages = invoke({
    headers: headersFor(call),
    ...timeLeft(call),
    onHeaders(headers) {
      append(call.headers, headers);
      call.sendHeaders();
    },
    onTrailers(received) {
      trailers = received;
    },
  }) as AsyncIterable<Message>;
  const inner = messages[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const result = await inner.next();
        if (result.done) {
          if (trailers) append(call.trailers, trailers);
          ended();
        }
        return result;
      } catch (error) {
        ended();
        return passOn(call, error);
      }
    },
    async return() {
      ended();
      await inner.return?.();
      return { done: true, value: undefined };
    },
  };
}

/** A client that is told of no time takes the method's default, and a caller may have asked for more. */
function timeLeft({ deadline }: CallContext): Pick<CallOptions, "timeoutMs"> {
  return deadline === undefined ? {} : { timeoutMs: deadline - Date.now() };
}

/**
 * Over HTTP, what a worker answered without sense is 502: it is no fault of the gateway. Why a worker could not be
 * reached names addresses, which are for the log alone.
 */
function passOn({ log, method }: CallContext, error: unknown): never {
  if (!(error instanceof RpcError)) throw error;
  const failure = error.code === Code.Unavailable ? connectionFailure(error) : undefined;
  if (failure) {
    const service = method.desc.parent.typeName;
    const { logged, told, details } = UNREACHED[failure];
    log.warn({ reason: error.message }, logged);
    throw new RpcError(error.code, `The worker of ${service} ${told}.`, details, { cause: error });
  }
  if (error.code === Code.DeadlineExceeded && OUT_OF_TIME.test(error.message)) {
    log.warn({ reason: error.message }, "the worker did not answer in time");
    throw new RpcError(error.code, "The call's deadline passed before the worker had answered.", [], {
      cause: error,
    });
  }
  if (!BROKEN.has(error.code)) throw error;
  throw new RpcError(error.code, error.message, error.toStatus().details, {
    metadata: error.metadata,
    cause: error,
    httpStatus: 502,
  });
}

/** Only of a call that no worker has seen is it said when to make it again: others may have been done. */
const UNREACHED = {
  unsent: {
    logged: "the worker was not reached",
    told: "cannot be reached",
    details: [retryInfo(1_000)],
  },
  lost: {
    logged: "the connection to the worker was lost",
    told: "was lost while the call was in flight",
    details: [],
  },
} as const;

/** The words of the gRPC library, which go on with where the worker is. */
const OUT_OF_TIME = /^Deadline exceeded\b/;

const BROKEN: ReadonlySet<number> = new Set([Code.Unknown, Code.Internal, Code.DataLoss]);

function headersFor(call: CallContext): Metadata {
  const headers = new Metadata();
  for (const [key, value] of call.metadata) if (isForwarded(key)) headers.append(key, value);
  return headers.set(FORWARDED_FOR, call.peer.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""));
}

function append(to: Metadata, from: Metadata): void {
  for (const [key, value] of from) to.append(key, value);
}

/** Gives up a call whose worker does not move, while it is the worker's turn. */
class Patience implements Disposable {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The same messages. It is the worker's turn from each message until the next one is asked for. */
  while(
    requests: AsyncIterable<Message>,
    { untilAnswered }: { untilAnswered: boolean },
  ): AsyncIterableIterator<Message> {
    const inner = requests[Symbol.asyncIterator]();
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: async () => {
        clearTimeout(this.#timer);
        const result = await inner.next();
        if (!result.done || untilAnswered) this.#arm();
        return result;
      },
      return: async () => {
        await inner.return?.();
        return { done: true, value: undefined };
      },
    };
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      const words = "The worker did not go on with the call in the time that the gateway gives it.";
      this.#controller.abort(new RpcError(Code.DeadlineExceeded, words));
    }, this.#timeoutMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
