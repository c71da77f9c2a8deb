import type { DescMethod } from "@bufbuild/protobuf";
import { clientStatsOf } from "@gantry/rpc";
import { authorizedHeaders } from "./credentials.ts";
import type { ClientNext } from "./interceptor.ts";
import { beginSpan, isTraced } from "./trace/client-tracing.ts";
import type { Transport } from "./transport/transport.ts";

/**
 * The end of the chain: one attempt at a call. Each is counted and has a span of its own, so that metrics
 * and traces show what the network saw, retries included.
 */
export function attempt(transport: Transport, method: DescMethod): ClientNext {
  const stats = clientStatsOf(method);
  return async (call) => {
    let headers = call.credentials ? await authorizedHeaders(call, call.credentials) : call.headers;
    const span = isTraced() ? await beginSpan(call, headers) : undefined;
    if (span) headers = span.headers;
    const startedAt = performance.now();
    stats.started += 1;
    stats.inFlight += 1;
    return transport.call({
      call,
      headers,
      stats,
      ended(code, message) {
        stats.end(code, (performance.now() - startedAt) / 1_000);
        span?.end(code, message);
      },
    });
  };
}
