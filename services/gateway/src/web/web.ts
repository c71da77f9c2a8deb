import type { DescService } from "@bufbuild/protobuf";
import type { Protocol, Web, WebParts } from "@gantry/worker";
import type { Console } from "../console/console.ts";
import { createGraphqlHandler } from "../graphql/yoga.ts";
import type { ClientOf } from "../json/json-call.ts";
import { createJsonCodec } from "../json/json-codec.ts";
import type { GatewaySettings } from "../settings.ts";
import { attachSocketServer } from "../socket/server.ts";
import { createApp } from "./app.ts";

export interface GatewayWebOptions {
  readonly version: string;
  /** What GraphQL and Socket.IO show. */
  readonly services: readonly DescService[];
  readonly settings: Pick<GatewaySettings, "maxSockets" | "console" | "connectTo">;
}

/** Everything that the gateway serves beside a worker's own protocols. */
export function createWeb({ version, services, settings: own }: GatewayWebOptions): Web {
  return async (parts) => {
    const { server, client, log, settings } = parts;
    const codec = createJsonCodec(services);
    const clientOf =
      (protocol: Protocol) =>
      (peer: string): ClientOf =>
      (service) =>
        client(service, { peer, protocol });
    const console = await openConsole(own, parts);
    const sockets = attachSocketServer(server, {
      services,
      codec,
      log,
      clientOf: clientOf("socket_io"),
      maxSockets: own.maxSockets,
      corsOrigins: settings.corsOrigins,
      console,
    });
    const graphql = createGraphqlHandler({ services, codec, log, clientOf: clientOf("graphql") });
    return {
      handle: createApp({ version, parts, graphql, console }),
      async close() {
        await sockets.close();
        console?.close();
      },
    };
  };
}

/** Loaded where a setting asks for it. */
async function openConsole(
  { console: settings, connectTo }: GatewayWebOptions["settings"],
  parts: WebParts,
): Promise<Console | undefined> {
  if (!settings) return undefined;
  const { createConsole } = await import("../console/console.ts");
  return createConsole({ settings, parts, connectTo });
}
