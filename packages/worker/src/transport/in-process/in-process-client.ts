import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { type CallOptions, type Client, Code, Metadata, RpcError } from "@gantry/rpc";
import { Call, type CallHost, cancelled, type Wire } from "../../call.ts";
import { asStream } from "../../interceptors/streams.ts";
import type { Route } from "../../pipeline.ts";
import type { Tracing } from "../../trace/tracing.ts";
import { abortable } from "./abortable.ts";

/** What calls in one process go through. */
export interface InProcessHost extends CallHost {
  readonly tracing: Tracing;
  /** The route of a method by its path; undefined where the worker does not serve it. */
  route(path: string): Route | undefined;
}

/** A client that calls a worker of this process: the same chain, no socket, no serialization. */
export function createInProcessClient<S extends DescService>(service: S, host: InProcessHost): Client<S> {
  const methods = service.methods.map((method) => {
    const route = host.route(`/${service.typeName}/${method.name}`);
    if (!route) throw new TypeError(`The worker does not serve ${service.typeName}.`);
    return [method.localName, clientMethod(method, route, host)] as const;
  });
  // Each function was made for its method's kind just above; types cannot follow a loop that far.
  return Object.fromEntries(methods) as Client<S>;
}

function clientMethod(method: DescMethod, route: Route, host: InProcessHost) {
  const begin = (request: unknown, options: CallOptions) =>
    new InProcessCall(route, host, request, method.input, options);
  switch (method.methodKind) {
    case "unary":
    case "client_streaming":
      return (request: unknown, options: CallOptions = {}) => begin(request, options).one();
    case "server_streaming":
    case "bidi_streaming":
      return (request: unknown, options: CallOptions = {}) => begin(request, options).all();
  }
}

type Init = MessageInitShape<DescMessage>;

class InProcessCall implements Wire {
  readonly #call: Call;
  readonly #route: Route;
  readonly #tracing: Tracing;
  readonly #options: CallOptions;
  #failRequests: ((error: RpcError) => void) | undefined;

  constructor(route: Route, host: InProcessHost, input: unknown, schema: DescMessage, options: CallOptions) {
    this.#route = route;
    this.#tracing = host.tracing;
    this.#options = options;
    const trace = host.tracing.begin(options.headers?.get("traceparent"), options.headers?.get("tracestate"));
    const deadline = options.timeoutMs === undefined ? undefined : Date.now() + options.timeoutMs;
    const { method } = route;
    if (method.clientStreaming) {
      // The client's types say that a streaming method is given an iterable of initial values.
      const source = input as AsyncIterable<Init> | Iterable<Init>;
      const map = (init: Init) => {
        method.stats.received += 1;
        return create(schema, init);
      };
      const requests = abortable(source, map, (error) => this.#call.abort(requestsFailed(error)));
      this.#failRequests = requests.fail;
      this.#call = new Call(host, method, this, trace, undefined, requests.iterable, deadline);
    } else {
      method.stats.received += 1;
      // … and that any other is given one.
      const request = create(schema, input as Init);
      this.#call = new Call(host, method, this, trace, request, undefined, deadline);
    }
  }

  metadata(): Metadata {
    return this.#options.headers ?? new Metadata();
  }

  header(key: string): string | undefined {
    return this.#options.headers?.getAll(key).join(", ") || undefined;
  }

  peer(): string {
    return "in-process";
  }

  connection(): undefined {}

  certificateNames(): readonly string[] {
    return [];
  }

  sendHeaders(headers: Metadata | undefined): void {
    this.#options.onHeaders?.(headers ?? new Metadata());
  }

  prepare(): void {}

  aborted(error: RpcError): void {
    this.#failRequests?.(error);
  }

  async one(): Promise<Message> {
    const stopListening = this.#listen();
    try {
      const response = await this.#run();
      this.#call.sendHeaders();
      this.#route.method.stats.sent += 1;
      this.#end(undefined);
      // A method that does not stream its responses has one message.
      return response as Message;
    } catch (error) {
      throw this.#end(error);
    } finally {
      stopListening();
    }
  }

  async *all(): AsyncGenerator<Message> {
    const stopListening = this.#listen();
    let messages: AsyncIterator<Message> | undefined;
    let over = false;
    try {
      messages = asStream(await this.#run())[Symbol.asyncIterator]();
      for (let next = await messages.next(); !next.done; next = await messages.next()) {
        this.#call.sendHeaders();
        this.#route.method.stats.sent += 1;
        yield next.value;
      }
      over = true;
      this.#call.sendHeaders();
      this.#end(undefined);
    } catch (error) {
      over = true;
      throw this.#end(error);
    } finally {
      // Whoever stops reading before the end has cancelled the call; the stream is left after that is known.
      if (!over) {
        this.#call.abort(cancelled());
        await messages?.return?.();
        this.#end(cancelled());
      }
      stopListening();
    }
  }

  #run() {
    return this.#tracing.run(this.#call, () => this.#route.run(this.#call));
  }

  #listen(): () => void {
    const { signal } = this.#options;
    if (!signal) return () => {};
    const abort = () => this.#call.abort(cancelled());
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    return () => signal.removeEventListener("abort", abort);
  }

  #end(error: unknown): unknown {
    this.#call.end();
    const trailers = new Metadata(this.#call.trailersIfAny);
    if (error instanceof RpcError) for (const [key, value] of error.metadata) trailers.append(key, value);
    this.#options.onTrailers?.(trailers);
    return error;
  }
}

/** A client that cannot go on with its requests has cancelled the call; why is its own affair, and comes back to it. */
function requestsFailed(cause: unknown): RpcError {
  return new RpcError(Code.Cancelled, `The client's request messages failed: ${cause}`, [], { cause });
}
