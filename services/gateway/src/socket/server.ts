import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket as Connection } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import { methodName } from "@gantry/rpc";
import type { Logger, WebParts, WebPeer } from "@gantry/worker";
import { Server } from "socket.io";
import type { Console } from "../console/console.ts";
import type { ClientOf } from "../json/json-call.ts";
import type { JsonCodec } from "../json/json-codec.ts";
import { forCaller } from "../json/unexpected.ts";
import { CONNECT_TIMEOUT_MS, LIMITS } from "./limits.ts";
import { readToken } from "./payload.ts";
import { Session } from "./session.ts";

export interface SocketServerOptions {
  readonly services: readonly DescService[];
  readonly codec: JsonCodec;
  readonly log: Logger;
  /** Clients whose calls come from this peer. */
  readonly clientOf: (peer: WebPeer) => ClientOf;
  readonly peerOf: WebParts["peerOf"];
  readonly maxSockets: number;
  /** Whose pages may connect, beside those of this server's own host. */
  readonly corsOrigins: WebParts["settings"]["corsOrigins"];
  /** Whether no sockets are taken any more. */
  readonly isStopping: () => boolean;
  /** Gets the sockets of the namespace `/console`. Undefined: there is no such namespace. */
  readonly console?: Pick<Console, "attach"> | undefined;
}

/** Socket.IO, for requests whose path is below `/socket.io/`. */
export interface SocketServer {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Takes a connection over that asks to be a WebSocket. */
  upgrade(request: IncomingMessage, connection: Connection, head: Buffer): void;
  /** Lets calls in flight finish, at most until the worker's drain cancels them, and closes every connection. */
  close(): Promise<void>;
}

export function createSocketServer(options: SocketServerOptions): SocketServer {
  const { services, codec, log, clientOf, peerOf, maxSockets, corsOrigins, isStopping } = options;
  const methods = new Map(
    services.flatMap((service) => service.methods).map((method) => [methodName(method), method]),
  );
  const sessions = new Set<Session>();
  const upgraded = new Set<Connection>();

  // Socket.IO takes all requests of a server for itself. This one never listens: it has those that are given to it.
  const given = createServer();
  const io = new Server(given, {
    serveClient: false,
    maxHttpBufferSize: LIMITS.packetBytes,
    connectTimeout: CONNECT_TIMEOUT_MS,
    httpCompression: false,
    cors: { origin: corsOrigins === "*" ? "*" : [...corsOrigins] },
    allowRequest(request, answer) {
      const refusal = isStopping() ? "The gateway is stopping." : refusalOf(request);
      answer(refusal, refusal === undefined);
    },
  });

  const isAllowed = (origin: string) => corsOrigins === "*" || corsOrigins.includes(origin);

  /** CORS does not hold WebSockets, so that the origin is looked at here for every way to connect. */
  function refusalOf(request: IncomingMessage): string | undefined {
    const { origin, host } = request.headers;
    if (io.engine.clientsCount >= maxSockets) return `There are ${maxSockets} sockets already.`;
    if (/[?&]j=/.test(request.url ?? "")) return "JSONP is not served.";
    if (origin !== undefined && !isOwn(origin, host) && !isAllowed(origin)) {
      return "Pages of this origin may not connect.";
    }
    return undefined;
  }

  io.use(({ handshake }, next) => {
    try {
      if (handshake.auth.token !== undefined) readToken(handshake.auth);
      next();
    } catch (error) {
      const told = forCaller(error, log);
      next(Object.assign(new Error(told.message), { data: { error: codec.status(told) } }));
    }
  });
  io.on("connection", (socket) => {
    const peer = peerOf(socket.request.socket);
    const session = new Session(socket, { methods, codec, log, clientOf: clientOf(peer) });
    sessions.add(session);
    socket.on("disconnect", () => sessions.delete(session));
  });

  options.console?.attach(io.of("/console"));

  return {
    handle: (request, response) => given.emit("request", request, response),
    upgrade(request, connection, head) {
      upgraded.add(connection);
      connection.once("close", () => upgraded.delete(connection));
      given.emit("upgrade", request, connection, head);
    },
    async close() {
      await Promise.all([...sessions].map((session) => session.drain()));
      // What is still open has not said that it is a socket of Socket.IO.
      io.engine.close();
      // WebSockets say goodbye to each other, which a client that reads nothing does not.
      const cut = () => {
        for (const connection of upgraded) connection.destroy();
      };
      setTimeout(cut, GOODBYE_MS).unref();
    },
  };
}

const GOODBYE_MS = 1_000;

function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.parse(origin)?.host === host;
}
