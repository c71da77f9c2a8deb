/** Spans of calls, by OpenTelemetry's API, which nothing else of this package imports. */

import { Metadata } from "@gantry/rpc";
import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type TextMapSetter,
  trace,
} from "@opentelemetry/api";
import type { AttemptSpan, StartSpan } from "./client-tracing.ts";

/** A client span, named as OpenTelemetry's own instrumentation of gRPC does. */
export const startSpan: StartSpan = ({ method, target }, given) => {
  const headers = new Metadata(given);
  const active = context.active();
  const parent = trace.getSpan(active) ? active : propagation.extract(active, headers, getter);
  const service = method.parent.typeName;
  const span = trace.getTracer("@gantry/client").startSpan(
    `grpc.${service}/${method.name}`,
    {
      kind: SpanKind.CLIENT,
      attributes: {
        "rpc.system": "grpc",
        "rpc.service": service,
        "rpc.method": method.name,
        "server.address": target,
      },
    },
    parent,
  );
  propagation.inject(trace.setSpan(parent, span), headers, setter);
  return {
    headers,
    end(code, message) {
      span.setAttribute("rpc.grpc.status_code", code);
      if (code !== 0) span.setStatus({ code: SpanStatusCode.ERROR, message });
      span.end();
    },
  } satisfies AttemptSpan;
};

const getter: TextMapGetter<Metadata> = {
  get: (headers, key) => headers.get(key),
  keys: (headers) => [...new Set([...headers].map(([key]) => key))],
};

const setter: TextMapSetter<Metadata> = {
  set(headers, key, value) {
    headers.set(key, value);
  },
};
