import { EventEmitter } from "node:events";
import type { RpcError } from "@gantry/rpc";
import { type Metadata as GrpcMetadata, Server } from "@grpc/grpc-js";
import type { Call } from "../../call.ts";
import type { Method } from "../../method.ts";
import type { Route } from "../../pipeline.ts";
import type { Tracing } from "../../trace/tracing.ts";

/** How `@grpc/grpc-js` names the kinds of call. */
const HANDLER_TYPES = {
  unary: "unary",
  server_streaming: "serverStream",
  client_streaming: "clientStream",
  bidi_streaming: "bidi",
} as const;

export type HandlerType = (typeof HANDLER_TYPES)[keyof typeof HANDLER_TYPES];

export function handlerType(method: Method): HandlerType {
  return HANDLER_TYPES[method.kind];
}

/** A route, and how it is run inside a span once there is somebody to record it. */
export interface TracedRoute extends Route {
  traced: RunTraced | undefined;
}

/** Runs a call inside its span, where there is somebody to record it. `run` never rejects. */
export function runInSpan(
  tracing: Tracing,
  call: Call,
  route: TracedRoute,
  metadata: GrpcMetadata,
  run: () => Promise<RpcError | undefined>,
): void {
  const { sdk } = tracing;
  if (!sdk) {
    void run();
  } else if (!call.trace.sampled) {
    sdk.unsampled(call.trace, run);
  } else {
    route.traced ??= tracedRun(route.method);
    const { traced } = route;
    sdk.withIds(call.trace, () =>
      traced(metadata, (ended) => {
        call.span = sdk.adopt(call);
        run().then(ended);
      }),
    );
  }
}

/** What is done inside a span; it gets a function to call once with how the call ended. */
type Work = (ended: (error?: RpcError) => void) => void;

/**
 * A call as `@opentelemetry/instrumentation-grpc` sees it. It reads the metadata, wraps
 * `sendMetadata`, and ends the span of a streaming call when `finish` or `error` comes: we say those
 * when the call has really ended, whichever side ended its stream first.
 */
class TracedCall extends EventEmitter {
  readonly metadata: GrpcMetadata;
  readonly work: Work;

  constructor(metadata: GrpcMetadata, work: Work) {
    super();
    this.metadata = metadata;
    this.work = work;
  }

  sendMetadata(): void {}
}

/** Runs a call inside its span. */
type RunTraced = (metadata: GrpcMetadata, work: Work) => void;

/**
 * The function that the patched `Server.register` would have grpc-js call for this method. It is taken
 * from a register call on a stand-in for a server, so that calls that are not sampled need not pass it.
 * Call it after the instrumentation was applied.
 */
function tracedRun(method: Method): RunTraced {
  const handlers = new Map<
    string,
    { func: (call: TracedCall, callback: (error?: RpcError | null) => void) => void }
  >();
  const streams = method.serverStreaming;
  const handler = (call: TracedCall, callback: (error?: RpcError | null) => void) => {
    call.work(
      streams ? (error) => call.emit(error ? "error" : "finish", error) : (error) => callback(error ?? null),
    );
  };
  // `register` is called as the instrumentation patched it, on the one field that it uses: `handlers`.
  Reflect.apply(Server.prototype.register, { handlers }, [
    method.path,
    handler,
    same,
    same,
    handlerType(method),
  ]);
  const func = handlers.get(method.path)?.func ?? handler;
  return (metadata, work) => {
    const call = new TracedCall(metadata, work);
    if (streams) call.on("error", () => {});
    func(call, () => {});
  };
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
