import type { Server as HttpServer, IncomingMessage } from "node:http";
import type { DescService } from "@bufbuild/protobuf";
import { methodName } from "@gantry/rpc";
import type { Logger, WebParts } from "@gantry/worker";
import { Server } from "socket.io";
import type { Console } from "../console/console.ts";
import type { ClientOf } from "../json/json-call.ts";
import type { JsonCodec } from "../json/json-codec.ts";
import { forCaller } from "../json/unexpected.ts";
import { CONNECT_TIMEOUT_MS, LIMITS } from "./limits.ts";
import { peerOf } from "./peer.ts";
import { Session } from "./session.ts";

export interface SocketServerOptions {
  readonly services: readonly DescService[];
  readonly codec: JsonCodec;
  readonly log: Logger;
  /** Clients whose calls come from this peer. */
  readonly clientOf: (peer: string) => ClientOf;
  readonly maxSockets: number;
  /** Whose pages may connect, beside those of this server's own host. */
  readonly corsOrigins: WebParts["settings"]["corsOrigins"];
  /** Gets the sockets of the namespace `/console`. Undefined: there is no such namespace. */
  readonly console?: Pick<Console, "attach"> | undefined;
}

export interface SocketServer {
  /** Lets calls in flight finish, at most until the worker's drain cancels them, and closes every connection. */
  close(): Promise<void>;
}

/** Socket.IO at `/socket.io` of an HTTP server. */
export function attachSocketServer(http: HttpServer, options: SocketServerOptions): SocketServer {
  const { services, codec, log, clientOf, maxSockets, corsOrigins } = options;
  const methods = new Map(
    services.flatMap((service) => service.methods).map((method) => [methodName(method), method]),
  );
  const sessions = new Set<Session>();
  let closing = false;

  const closeListeners = http.listeners("close");
  const io = new Server(http, {
    serveClient: false,
    maxHttpBufferSize: LIMITS.packetBytes,
    connectTimeout: CONNECT_TIMEOUT_MS,
    httpCompression: false,
    cors: { origin: corsOrigins === "*" ? "*" : [...corsOrigins] },
    allowRequest(request, answer) {
      const refusal = closing ? "The gateway is stopping." : refusalOf(request);
      answer(refusal, refusal === undefined);
    },
  });

  // The server closes for others before the calls in flight are over, which `close` below waits for.
  for (const listener of http.listeners("close")) {
    // Those of an event are functions that take what it gives.
    if (!closeListeners.includes(listener)) http.off("close", listener as () => void);
  }

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

  io.use((socket, next) => {
    try {
      const peer = peerOf(socket.request.socket);
      const session = new Session(socket, { methods, codec, log, clientOf: clientOf(peer) });
      sessions.add(session);
      socket.on("disconnect", () => sessions.delete(session));
      next();
    } catch (error) {
      const told = forCaller(error, log);
      next(Object.assign(new Error(told.message), { data: { error: codec.status(told) } }));
    }
  });

  options.console?.attach(io.of("/console"));

  return {
    async close() {
      closing = true;
      await Promise.all([...sessions].map((session) => session.drain()));
      // What is still open has not said that it is a socket of Socket.IO.
      io.engine.close();
    },
  };
}

function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.parse(origin)?.host === host;
}
