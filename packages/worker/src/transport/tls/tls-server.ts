import { constants } from "node:crypto";
import { Socket } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import type { Logger } from "../../log.ts";
import { peerOf } from "../peer.ts";
import { type AlpnProtocol, chooseProtocol } from "./alpn.ts";
import type { Certificates } from "./certificates.ts";
import { failureLog } from "./failure-log.ts";
import { failureOf, LEFT_UNSAID, NO_PROTOCOL } from "./handshake-failure.ts";
import type { Identity } from "./identity.ts";

export interface TlsServerOptions {
  readonly certificates: Certificates;
  /** A client that has not finished its handshake by then is dropped. */
  readonly handshakeTimeoutMs: number;
  readonly log: Logger;
  /** What is spoken, what is preferred first. */
  readonly protocols: readonly AlpnProtocol[];
  onSecured(socket: TLSSocket, protocol: AlpnProtocol): void;
}

/**
 * A server that hands over connections whose handshake is done, with a protocol agreed upon and, under mutual
 * TLS, a client's certificate that was verified. Who offers none is taken for a client of HTTP/1.1: one of
 * HTTP/2 has to (RFC 9113, section 3.2). New connections are made with the certificates that are in
 * force when they come; those that are open go on.
 *
 * No session is ever taken up again, by ticket or by id: connections of gRPC live long, and each handshake
 * is one with the certificate of today, under which the client's own is checked as a whole.
 */
export function createTlsServer(options: TlsServerOptions): Server {
  const { certificates, handshakeTimeoutMs, log, protocols: spoken, onSecured } = options;
  const failed = failureLog(log, certificates.stats.failures);
  const peers = new WeakMap<Socket, string>();
  const server = createServer({
    ...secureContext(certificates.current),
    requestCert: certificates.current.clientCa !== undefined,
    rejectUnauthorized: true,
    ALPNCallback: ({ protocols }) => chooseProtocol(protocols, spoken),
    handshakeTimeout: handshakeTimeoutMs,
    noDelay: true,
  });
  certificates.onChange((identity) => server.setSecureContext(secureContext(identity)));

  server.on("connection", (socket) => peers.set(socket, peerOf(socket)));
  server.on("secureConnection", (socket) => {
    const peer = peerOf(socket);
    socket.on("error", () => {});
    const protocol = chooseProtocol([socket.alpnProtocol || "http/1.1"], spoken);
    if (!protocol) {
      failed(NO_PROTOCOL, peer);
      socket.destroy();
      return;
    }
    socket.once("close", () => {
      if (socket.bytesRead === 0) failed(LEFT_UNSAID, peer);
    });
    onSecured(socket, protocol);
  });
  server.on("tlsClientError", (error, socket) => {
    const accepted = underlying(socket);
    // Probes of load balancers connect and leave again: they have not begun a handshake that could fail.
    const probed = accepted?.bytesRead === 0 && "code" in error && error.code === "ECONNRESET";
    if (!probed) failed(failureOf(error, socket), (accepted && peers.get(accepted)) ?? "unknown");
    socket.destroy();
  });
  return server;
}

function secureContext({ cert, key, clientCa }: Identity): SecureContextOptions {
  return {
    cert,
    key,
    ca: clientCa,
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/**
 * The connection under a TLS socket, which knows no address any more when it is closed. Not public in
 * Node.js: where it is not found, the log does not say who the client was.
 */
function underlying(socket: TLSSocket): Socket | undefined {
  const parent: unknown = Reflect.get(socket, "_parent");
  return parent instanceof Socket ? parent : undefined;
}
