/** Accepts connections, in plaintext or TLS, and keeps them: what is spoken on them is another's affair. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Logger } from "../log.ts";
import { peerOf } from "./peer.ts";
import type { AlpnProtocol } from "./tls/alpn.ts";
import type { Certificates } from "./tls/certificates.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Connections past it are closed at once; those that are still in their TLS handshake count. */
  readonly maxConnections: number;
  /** Undefined: plaintext. */
  readonly certificates: Certificates | undefined;
  /** What is spoken over TLS, what is preferred first. */
  readonly protocols: readonly AlpnProtocol[];
  /** How long a client may take to finish its TLS handshake, in milliseconds. Default: 5000. */
  readonly handshakeTimeoutMs?: number;
  readonly log: Logger;
  /**
   * Gets each connection that can be spoken on: over TLS, those whose handshake is done, with the protocol that
   * it agreed upon; in plaintext, nobody has said yet.
   */
  onConnection(socket: Socket, protocol: AlpnProtocol | undefined): void;
}

export interface Listener {
  readonly port: number;
  /** Accepts no more, and drops those that are not handed over yet. Resolves when the last one is closed. */
  close(): Promise<void>;
  /** Breaks the connections that are still open. */
  destroy(): void;
}

/** Rejects where the address cannot be had. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { certificates, protocols, handshakeTimeoutMs = 5_000, log, onConnection } = options;
  const connections = new Set<Socket>();
  // Over TLS a connection is accepted first, and handed over as another socket when its handshake is done.
  const accepted = certificates ? new Set<Socket>() : connections;
  const handOver = (socket: Socket, protocol?: AlpnProtocol) => {
    keep(connections, socket);
    onConnection(socket, protocol);
  };

  let server: Server;
  if (certificates) {
    const { createTlsServer } = await import("./tls/tls-server.ts");
    server = createTlsServer({ certificates, protocols, handshakeTimeoutMs, log, onSecured: handOver });
    server.on("connection", (socket) => keep(accepted, socket));
  } else {
    server = createServer({ noDelay: true }, (socket) => handOver(socket));
  }
  server.maxConnections = options.maxConnections;
  server.listen(options.port, options.host);
  await once(server, "listening");
  // A connection that could not be accepted, say for want of file descriptors, is no reason to end the process.
  server.on("error", (error) => log.error({ err: error }, "a connection could not be accepted"));
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo;

  return {
    port,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const handedOver = new Set([...connections].map(peerOf));
      for (const socket of accepted) if (!handedOver.has(peerOf(socket))) socket.destroy();
      return closed;
    },
    destroy() {
      for (const socket of accepted) socket.destroy();
    },
  };
}

function keep(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
}
