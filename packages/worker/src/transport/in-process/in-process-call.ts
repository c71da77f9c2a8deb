import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, Code, Metadata, RpcError } from "@gantry/rpc";
import { Call, type CallHost, cancelled, type Wire } from "../../call.ts";
import { asStream } from "../../interceptors/streams.ts";
import type { Route } from "../../pipeline.ts";
import type { Protocol } from "../../protocol.ts";
import type { Tracing } from "../../trace/tracing.ts";
import { abortable } from "./abortable.ts";

/** What calls in one process go through. */
export interface InProcessHost extends CallHost {
  readonly tracing: Tracing;
  /** The route of a method by its path; undefined where the worker does not serve it. */
  route(path: string): Route | undefined;
}

/** For whom a call is made. */
export interface Caller {
  /** The address of who calls. Default: `in-process`. */
  readonly peer?: string;
  /** By which way the call came. Default: `in_process`. */
  readonly protocol?: Protocol;
  /** Stands for the connection that the call came by. Default: it came by none. */
  readonly connection?: object;
  /** The names on the certificate that was shown there and verified; asked for when they are needed. Default: none. */
  readonly certificateNames?: () => readonly string[];
}

/** What a protocol that stands in front of a call may say of it, beside what any caller may. */
export interface InProcessOptions extends CallOptions, Caller {
  /** Makes sure that a reply can be sent. What it throws is what the call fails with. */
  readonly prepare?: (message: Message) => void;
  /** Called when the call is aborted: stop waiting for the client to take messages. */
  readonly onAbort?: () => void;
  /** What aborts a call whose request messages fail. Default: CANCELLED. */
  readonly requestsFailed?: (cause: unknown) => RpcError;
}

/** What a call is made with: one message, or an iterable where its method takes a stream. */
type Init = MessageInitShape<DescMessage>;
export type Input = Init | AsyncIterable<Init> | Iterable<Init>;

/** A call without a socket of its own: it passes the chain as any other, and nothing of it is serialized. */
export class InProcessCall implements Wire {
  readonly protocol: Protocol;
  readonly #call: Call;
  readonly #route: Route;
  readonly #tracing: Tracing;
  readonly #options: InProcessOptions;
  #failRequests: ((error: RpcError) => void) | undefined;

  /**
   * @param input what its method takes; or the error with which the call fails before it gets to its
   * handler: it passes the chain all the same, and so is counted
   */
  constructor(route: Route, host: InProcessHost, input: Input | RpcError, options: InProcessOptions) {
    this.#route = route;
    this.#tracing = host.tracing;
    this.#options = options;
    this.protocol = options.protocol ?? "in_process";
    const { headers, timeoutMs } = options;
    const trace = host.tracing.begin(headers?.get("traceparent"), headers?.get("tracestate"));
    const deadline = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
    const { method } = route;
    let request: Message | undefined;
    let requests: AsyncIterable<Message> | undefined;
    if (!(input instanceof RpcError)) {
      if (method.clientStreaming) requests = this.#requests(input as AsyncIterable<Init> | Iterable<Init>);
      else request = this.#received(input as Init);
    }
    this.#call = new Call(host, method, this, trace, request, requests, deadline);
    if (input instanceof RpcError) this.#call.abort(input);
  }

  metadata(): Metadata {
    return this.#options.headers ?? new Metadata();
  }

  peer(): string {
    return this.#options.peer ?? "in-process";
  }

  header(key: string): string | undefined {
    return this.#options.headers?.getAll(key).join(", ") || undefined;
  }

  connection(): object | undefined {
    return this.#options.connection;
  }

  certificateNames(): readonly string[] {
    return this.#options.certificateNames?.() ?? [];
  }

  sendHeaders(headers: Metadata | undefined): void {
    this.#options.onHeaders?.(headers ?? new Metadata());
  }

  prepare(message: Message): void {
    this.#options.prepare?.(message);
  }

  aborted(error: RpcError): void {
    this.#failRequests?.(error);
    this.#options.onAbort?.();
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

  #received(init: Init): Message {
    this.#route.method.stats.received += 1;
    return create(this.#route.method.desc.input, init);
  }

  #requests(source: AsyncIterable<Init> | Iterable<Init>): AsyncIterable<Message> {
    const { requestsFailed = requestsFailedByClient } = this.#options;
    const { iterable, fail } = abortable(
      source,
      (init) => this.#received(init),
      (cause) => this.#call.abort(requestsFailed(cause)),
    );
    this.#failRequests = fail;
    return iterable;
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
function requestsFailedByClient(cause: unknown): RpcError {
  return new RpcError(Code.Cancelled, `The client's request messages failed: ${cause}`, [], { cause });
}
