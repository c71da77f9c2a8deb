import type { Message } from "@bufbuild/protobuf";
import { Code, type CurrentCall, Metadata, RpcError } from "@gantry/rpc";
import type { Principal } from "./auth/principal.ts";
import { unauthenticated } from "./auth/refusals.ts";
import type { CallContext } from "./call-context.ts";
import type { Logger } from "./log.ts";
import type { Method } from "./method.ts";
import type { Protocol } from "./protocol.ts";
import type { CallTrace } from "./trace/call-trace.ts";
import type { CallSpan } from "./trace/sdk.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

/** The side of a call that faces the wire: what a transport gives to each call. */
export interface Wire {
  readonly protocol: Protocol;
  /** The request's headers; asked for at most once. */
  metadata(): Metadata;
  /** A header of the request; one that came several times as HTTP joins it: `a, b`. Undefined: it is not there, or empty. */
  header(key: string): string | undefined;
  /** The caller's address with its port. */
  peer(): string;
  /** Stands for the connection that the call came by, where it came by one; known by identity alone. */
  connection(): object | undefined;
  /** The names on the certificate that the client has shown and that was verified; none over plaintext. */
  certificateNames(): readonly string[];
  sendHeaders(headers: Metadata | undefined): void;
  /** Makes sure that a reply can be sent. @throws RpcError or anything else where it cannot */
  prepare(message: Message): void;
  /** The call was aborted: stop waiting for messages. */
  aborted(error: RpcError): void;
}

/** What all calls of a worker share. */
export interface CallHost {
  readonly log: Logger;
  /** The calls in flight. */
  readonly calls: Set<Call>;
  /** Whose word on their callers is taken. Default: nobody's. */
  readonly proxies?: TrustedProxies | undefined;
}

/**
 * A call on its way through the pipeline. What a call may not need is made when it is asked for:
 * metadata, abort signal, logger, deadline timer.
 */
export class Call implements CallContext, CurrentCall {
  readonly method: Method;
  readonly trace: CallTrace;
  /** The one request message; undefined where the client streams. */
  readonly request: Message | undefined;
  /** The request messages that are still to come; undefined where there is one. Interceptors may wrap it. */
  requests: AsyncIterable<Message> | undefined;
  /** What the call was aborted with. */
  failure: RpcError | undefined;
  /** The span that records the call, where one does. */
  span: CallSpan | undefined;
  principal: Principal | undefined;
  /** The quota that refused the call: its id, for logs and spans. */
  refusedBy: string | undefined;

  readonly #wire: Wire;
  readonly #host: CallHost;
  readonly #startedAt = performance.now();
  #deadline: number | undefined;
  /** When what shows who calls is no longer valid. */
  #credentialUntil = Number.POSITIVE_INFINITY;
  #endTimer: NodeJS.Timeout | undefined;
  #metadata: Metadata | undefined;
  #peer: string | undefined;
  #certificateNames: readonly string[] | undefined;
  #headers: Metadata | undefined;
  #trailers: Metadata | undefined;
  #headersSent = false;
  #ended = false;
  #controller: AbortController | undefined;
  #rejectPending: ((error: RpcError) => void) | undefined;
  #log: Logger | undefined;

  /** @param deadline the client's, in milliseconds since the epoch */
  constructor(
    host: CallHost,
    method: Method,
    wire: Wire,
    trace: CallTrace,
    request: Message | undefined,
    requests: AsyncIterable<Message> | undefined,
    deadline: number | undefined,
  ) {
    this.#host = host;
    this.method = method;
    this.#wire = wire;
    this.trace = trace;
    this.request = request;
    this.requests = requests;
    this.#deadline = deadline;
    host.calls.add(this);
  }

  get metadata(): Metadata {
    this.#metadata ??= this.#wire.metadata();
    return this.#metadata;
  }

  /** A request header by itself: spares making all of the metadata. */
  header(key: string): string | undefined {
    return this.#wire.header(key);
  }

  get connection(): object | undefined {
    return this.#wire.connection();
  }

  get peer(): string {
    if (this.#peer !== undefined) return this.#peer;
    const { proxies } = this.#host;
    const peer = this.#wire.peer();
    this.#peer = proxies ? proxies.callerOf(peer, () => this.header("x-forwarded-for")) : peer;
    return this.#peer;
  }

  get protocol(): Protocol {
    return this.#wire.protocol;
  }

  get certificateNames(): readonly string[] {
    this.#certificateNames ??= this.#wire.certificateNames();
    return this.#certificateNames;
  }

  get deadline(): number | undefined {
    return this.#deadline;
  }

  /** Brings the deadline forward; a later one than is in force changes nothing. */
  tightenDeadline(deadline: number): void {
    if (this.#deadline !== undefined && this.#deadline <= deadline) return;
    this.#deadline = deadline;
  }

  /**
   * It is known who calls, by what is valid until then, in milliseconds since the epoch: the call is
   * aborted when it no longer is. Infinity: it does not expire.
   */
  identify(principal: Principal, untilMs: number): void {
    this.principal = principal;
    this.#credentialUntil = untilMs;
    if (!this.#endTimer) return;
    this.#clearEnd();
    this.#armEnd();
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.failure) this.#controller.abort(this.failure);
      else this.#armEnd();
    }
    return this.#controller.signal;
  }

  get headers(): Metadata {
    this.#headers ??= new Metadata();
    return this.#headers;
  }

  get trailers(): Metadata {
    this.#trailers ??= new Metadata();
    return this.#trailers;
  }

  /** The trailers if there are any: spares making them only to find them empty. */
  get trailersIfAny(): Metadata | undefined {
    return this.#trailers;
  }

  get headersIfAny(): Metadata | undefined {
    return this.#headers;
  }

  get log(): Logger {
    this.#log ??= this.#host.log.child({
      method: this.method.name,
      trace_id: this.trace.traceId,
      span_id: this.trace.spanId,
      principal: this.principal?.name,
    });
    return this.#log;
  }

  /** What calls made inside this one send as `traceparent`. */
  get traceParent(): string {
    return this.trace.traceParent;
  }

  get traceState(): string | undefined {
    return this.trace.parent?.traceState;
  }

  sendHeaders(): void {
    if (this.#headersSent || this.#ended) return;
    this.#headersSent = true;
    this.#wire.sendHeaders(this.#headers);
  }

  /** Hands a reply to the transport while the chain can still tell that it fails. */
  prepare(message: Message): void {
    this.#wire.prepare(message);
  }

  /** Milliseconds since the call came. */
  elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Ends the call with this error, wherever it is. The first one holds; after the end it does nothing. */
  abort(error: RpcError): void {
    if (this.#ended || this.failure) return;
    this.failure = error;
    this.#clearEnd();
    this.#rejectPending?.(error);
    this.#wire.aborted(error);
    this.#controller?.abort(error);
  }

  /**
   * Waits for what a handler does, but not past the call's abort: who ignores the signal is left
   * behind. What comes of it later goes to `late` if it fails.
   */
  race<T>(work: PromiseLike<T>, late: (error: unknown) => void): Promise<T> {
    this.#armEnd();
    return new Promise<T>((resolve, reject) => {
      if (this.failure) reject(this.failure);
      else this.#rejectPending = reject;
      work.then(resolve, (error) => {
        if (this.failure) late(error);
        else reject(error);
      });
    });
  }

  /** The transport has the outcome: nothing can abort the call any more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clearEnd();
    this.#rejectPending = undefined;
    this.#host.calls.delete(this);
  }

  /** A call that never waits needs no timer, so it is set when a call first does. */
  #armEnd(): void {
    const endsAt = Math.min(this.#deadline ?? Number.POSITIVE_INFINITY, this.#credentialUntil);
    if (endsAt === Number.POSITIVE_INFINITY || this.#endTimer || this.#ended) return;
    const leftMs = Math.max(endsAt - Date.now(), 0);
    const onTime = () => {
      this.#endTimer = undefined;
      if (leftMs > MAX_TIMER_MS) this.#armEnd();
      else this.abort(this.#deadline === endsAt ? deadlineExceeded() : unauthenticated());
    };
    this.#endTimer = setTimeout(onTime, Math.min(leftMs, MAX_TIMER_MS));
  }

  #clearEnd(): void {
    clearTimeout(this.#endTimer);
    this.#endTimer = undefined;
  }
}

export function deadlineExceeded(): RpcError {
  return new RpcError(Code.DeadlineExceeded, "The call's deadline passed before the service had answered.");
}

export function cancelled(): RpcError {
  return new RpcError(Code.Cancelled, "The client cancelled the call or went away.");
}

export function draining(): RpcError {
  return new RpcError(Code.Unavailable, "The worker is stopping and had no time left to finish the call.");
}

/** The longest delay that a timer of Node.js takes: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;
