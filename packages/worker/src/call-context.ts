import type { Metadata } from "@gantry/rpc";
import type { Principal } from "./auth/principal.ts";
import type { Logger } from "./log.ts";
import type { Method } from "./method.ts";
import type { Protocol } from "./protocol.ts";
import type { CallTrace } from "./trace/call-trace.ts";

/** What a handler gets beside its request. */
export interface CallContext {
  readonly method: Method;
  /** The request's headers. */
  readonly metadata: Metadata;
  /**
   * Who calls: `127.0.0.1:51234`, or `203.0.113.7` where a proxy that is trusted says so; `in-process` where there is
   * no network between.
   */
  readonly peer: string;
  /** By which way the call came in. */
  readonly protocol: Protocol;
  /**
   * The names on the certificate that the client has shown and that was verified: `CN:…`, `DNS:…`, `URI:…`,
   * `IP:…` and `email:…`. None over plaintext, and where the worker asks for no certificates.
   */
  readonly certificateNames: readonly string[];
  /** Who calls, by its credentials; undefined where nobody asked for them: `AUTH_FILE` is not set, or the method is open. */
  readonly principal: Principal | undefined;
  /** When the call has to be over, in milliseconds since the epoch; undefined: never. */
  readonly deadline: number | undefined;
  /** Aborts when the deadline passes, the client cancels or vanishes, or a drain runs out of time. */
  readonly signal: AbortSignal;
  /** Response headers to fill in; sent with the first message, or by `sendHeaders`. */
  readonly headers: Metadata;
  /** Response trailers to fill in; sent with the status. */
  readonly trailers: Metadata;
  /** Sends the response headers now, before the first message. Does nothing the second time. */
  sendHeaders(): void;
  /** Logs with the call's method, trace id and span id. */
  readonly log: Logger;
  /** W3C trace context: always there, whether or not a trace is recorded. */
  readonly trace: CallTrace;
}
