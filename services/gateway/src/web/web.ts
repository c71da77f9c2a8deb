import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket as Connection } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import { ServerReflection } from "@gantry/proto/grpc/reflection/v1/reflection_pb.js";
import type { Protocol, Web, WebCaller, WebParts, WebPeer } from "@gantry/worker";
import type { Console } from "../console/console.ts";
import type { ClientOf } from "../json/json-call.ts";
import { createJsonCodec } from "../json/json-codec.ts";
import type { GatewaySettings } from "../settings.ts";
import type { SocketServer } from "../socket/server.ts";

export interface GatewayWebOptions {
  readonly version: string;
  /** What GraphQL and Socket.IO show. */
  readonly services: readonly DescService[];
  readonly settings: Pick<GatewaySettings, "maxSockets" | "console" | "connectTo">;
}

/** Everything that the gateway serves beside a worker's own protocols. What is large is loaded by who asks for it first. */
export function createWeb({ version, services, settings: own }: GatewayWebOptions): Web {
  return async (parts) => {
    const { server, client, log, peerOf, settings } = parts;
    const codec = createJsonCodec(services);
    const clientOf =
      (protocol: Protocol) =>
      ({ peer, connection, certificateNames }: WebPeer): ClientOf =>
      (service) =>
        client(service, { peer, connection, certificateNames, protocol });

    /** What reflection shows, and GraphQL's schema with it, is for those that reflection answers. */
    const admit = async (caller: WebCaller) => {
      const questions = clientOf("graphql")(caller)(ServerReflection).serverReflectionInfo([], caller);
      for await (const _ of questions);
    };

    const console = await openConsole(own, parts);
    let stopping = false;
    let loading: Promise<SocketServer> | undefined;
    const loadSockets = async () => {
      const { createSocketServer } = await import("../socket/server.ts");
      return createSocketServer({
        ...{ services, codec, log, peerOf, console, maxSockets: own.maxSockets },
        clientOf: clientOf("socket_io"),
        corsOrigins: settings.corsOrigins,
        isStopping: () => stopping,
      });
    };
    const sockets = () => {
      loading ??= loadSockets();
      return loading;
    };
    server.on("upgrade", (request, stream, head) => {
      // Connections are sockets of TCP or of TLS.
      const connection = stream as Connection;
      connection.on("error", (error) => log.debug({ err: error }, "a connection broke"));
      if (!isForSockets(request.url)) {
        connection.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        return;
      }
      sockets()
        .then(({ upgrade }) => upgrade(request, connection, head))
        .catch((error: unknown) => {
          log.error({ err: error }, "Socket.IO could not be loaded");
          connection.destroy();
        });
    });

    let app: Promise<RequestListener> | undefined;
    const loadApp = async () => {
      const { createApp } = await import("./app.ts");
      const graphql = async () => {
        const { createGraphqlHandler } = await import("../graphql/yoga.ts");
        return createGraphqlHandler({ services, codec, log, clientOf: clientOf("graphql"), admit });
      };
      return createApp({ version, parts, graphql, console });
    };
    const answer = async (request: IncomingMessage, response: ServerResponse) => {
      if (isForSockets(request.url)) return (await sockets()).handle(request, response);
      app ??= loadApp();
      (await app)(request, response);
    };

    return {
      handle(request, response) {
        answer(request, response).catch((error) => parts.answerError(request, response, error));
      },
      async close() {
        stopping = true;
        await (await loading)?.close();
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

function isForSockets(url = ""): boolean {
  return url.startsWith("/socket.io/");
}
