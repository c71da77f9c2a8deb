import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { MAX_METADATA_BYTES } from "../limits.ts";

// See admin-server.ts for why it is not imported.
const { createServer } = process.getBuiltinModule("node:http");

export interface HttpServerOptions {
  readonly handle: RequestListener;
  /** A connection is closed behind the first answer after this age, ± 10 %. */
  readonly maxConnectionAgeMs: number;
  /** From a request's first byte to the end of its headers. Default: 10 s, then 408. */
  readonly headersTimeoutMs?: number;
  /** How long a connection may do nothing between two requests. Default: 75 s, which is longer than proxies wait. */
  readonly keepAliveMs?: number;
}

/** Speaks HTTP/1.1 on connections that somebody else accepts. */
export interface HttpServer {
  /** Node.js's own, which never listens: WebSockets are its event `upgrade`. */
  readonly server: Server;
  /** Takes over a connection that speaks HTTP/1.1. */
  accept(socket: Socket): void;
  /** Somebody else speaks on the connection from now on, and ends it. */
  letGo(socket: Socket): void;
  /** Closes idle connections, and others behind the answer to their request. */
  stopAccepting(): void;
}

/** Clients that vanished without a word are found out after a minute or two. */
const KEEPALIVE_PROBE_MS = 60_000;
const CHECK_INTERVAL_MS = 1_000;
/** A drain gives requests that are on their way so long to arrive. */
const ARRIVES_WITHIN_MS = 1_000;

/** What the server knows of a connection. */
interface Connection {
  /** By `performance.now()`. */
  readonly oldAtMs: number;
  /** The answers that are still to be written, or being written. */
  readonly open: Set<ServerResponse>;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { handle, maxConnectionAgeMs, headersTimeoutMs = 10_000, keepAliveMs = 75_000 } = options;
  const connections = new Map<Socket, Connection>();
  let draining = false;

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const connection = connections.get(socket);
    if (connection) {
      connection.open.add(response);
      if (draining || performance.now() >= connection.oldAtMs) response.setHeader("connection", "close");
      response.once("close", () => {
        connection.open.delete(response);
        if (draining && connection.open.size === 0) socket.destroySoon();
      });
    }
    handle(request, response);
  };

  const server: Server = createServer(
    {
      maxHeaderSize: MAX_METADATA_BYTES,
      headersTimeout: headersTimeoutMs,
      // Streams may take as long as their deadlines let them; other bodies have a limit of their own.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      // HTTP/2 is offered like that too, by curl and Java for two: such a request is answered as it is.
      shouldUpgradeCallback: ({ headers }) =>
        headers.upgrade?.toLowerCase() === "websocket" && server.listenerCount("upgrade") > 0,
    },
    onRequest,
  );
  // Those past it would be dropped without a word; the edge counts them. Their size has a limit anyway.
  server.maxHeadersCount = 0;
  // Node.js begins to look after its timeouts when a server listens, which this one has others do.
  server.emit("listening");

  return {
    server,
    accept(socket) {
      const oldAtMs = performance.now() + maxConnectionAgeMs * (0.9 + Math.random() * 0.2);
      connections.set(socket, { oldAtMs, open: new Set() });
      socket.once("close", () => connections.delete(socket));
      socket.setKeepAlive(true, KEEPALIVE_PROBE_MS);
      // A client may say that it has sent everything before it has its answer.
      socket.allowHalfOpen = true;
      server.emit("connection", socket);
    },
    letGo(socket) {
      connections.delete(socket);
    },
    stopAccepting() {
      draining = true;
      server.closeIdleConnections();
      for (const { open } of connections.values()) {
        for (const response of open) if (!response.headersSent) response.setHeader("connection", "close");
      }
      const late = () => {
        for (const [socket, { open }] of connections) if (open.size === 0) socket.destroy();
        // It was never listening, which is all that it could complain of; this ends its looking after timeouts.
        server.close(() => {});
      };
      setTimeout(late, ARRIVES_WITHIN_MS).unref();
    },
  };
}
