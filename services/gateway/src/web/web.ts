import type { DescService } from "@bufbuild/protobuf";
import type { Protocol, Web } from "@gantry/worker";
import { createGraphqlHandler } from "../graphql/yoga.ts";
import type { ClientOf } from "../json/json-call.ts";
import { createJsonCodec } from "../json/json-codec.ts";
import { attachSocketServer } from "../socket/server.ts";
import { createApp } from "./app.ts";

export interface GatewayWebOptions {
  readonly version: string;
  /** What GraphQL and Socket.IO show. */
  readonly services: readonly DescService[];
  /** Sockets of Socket.IO at the same time. */
  readonly maxSockets: number;
}

/** Everything that the gateway serves beside a worker's own protocols. */
export function createWeb({ version, services, maxSockets }: GatewayWebOptions): Web {
  return (parts) => {
    const { server, client, log, settings } = parts;
    const codec = createJsonCodec(services);
    const clientOf =
      (protocol: Protocol) =>
      (peer: string): ClientOf =>
      (service) =>
        client(service, { peer, protocol });
    const sockets = attachSocketServer(server, {
      services,
      codec,
      log,
      clientOf: clientOf("socket_io"),
      maxSockets,
      corsOrigins: settings.corsOrigins,
    });
    const graphql = createGraphqlHandler({ services, codec, log, clientOf: clientOf("graphql") });
    return { handle: createApp({ version, parts, graphql }), close: () => sockets.close() };
  };
}
