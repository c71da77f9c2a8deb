import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface PortOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Connections past it are closed at once. */
  readonly maxConnections: number;
  readonly onConnection: (socket: Socket) => void;
}

/** A port that accepts connections, and knows those that are open. */
export interface Port {
  readonly port: number;
  /** Accepts no more connections. */
  close(): void;
  /** Settles when the last connection is closed. Call `close` first. */
  readonly closed: Promise<void>;
  /** Breaks the connections that are still open. Call `close` first. */
  destroy(): void;
}

/** Rejects with the error of the system, such as EADDRINUSE, where the address cannot be had. */
export async function openPort({ host, port, maxConnections, onConnection }: PortOptions): Promise<Port> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    onConnection(socket);
  });
  server.maxConnections = maxConnections;
  server.listen(port, host);
  await once(server, "listening");
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  return {
    // A server that listens by TCP has an address of this shape.
    port: (server.address() as AddressInfo).port,
    closed,
    close: () => server.close(() => resolve()),
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
