import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@gantry/rpc";
import type { Route } from "../../pipeline.ts";
import { type Caller, InProcessCall, type InProcessHost, type Input } from "./in-process-call.ts";

/**
 * A client that calls a worker of this process: the same chain, no socket, no serialization.
 *
 * @param caller for whom it makes its calls
 */
export function createInProcessClient<S extends DescService>(
  service: S,
  host: InProcessHost,
  caller: Caller = {},
): Client<S> {
  const methods = service.methods.map((method) => {
    const route = host.route(`/${service.typeName}/${method.name}`);
    if (!route) throw new TypeError(`The worker does not serve ${service.typeName}.`);
    return [method.localName, clientMethod(method, route, host, caller)] as const;
  });
  // Each function was made for its method's kind just above; types cannot follow a loop that far.
  return Object.fromEntries(methods) as Client<S>;
}

function clientMethod(method: DescMethod, route: Route, host: InProcessHost, caller: Caller) {
  const begin = (request: Input, options: CallOptions) =>
    new InProcessCall(route, host, request, { ...options, ...caller });
  switch (method.methodKind) {
    case "unary":
    case "client_streaming":
      return (request: Input, options: CallOptions = {}) => begin(request, options).one();
    case "server_streaming":
    case "bidi_streaming":
      return (request: Input, options: CallOptions = {}) => begin(request, options).all();
  }
}
