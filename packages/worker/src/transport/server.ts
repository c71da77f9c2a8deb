/** The port of a worker, and what is spoken there. */
import type { Core } from "../core.ts";
import { createGrpcServer } from "./grpc-js/grpc-server.ts";
import { createHttp, type HttpOptions } from "./http/http.ts";
import { listen } from "./listener.ts";
import { createSniffer } from "./sniff.ts";
import type { AlpnProtocol } from "./tls/alpn.ts";
import type { Certificates } from "./tls/certificates.ts";

export interface ServerOptions extends HttpOptions {
  /** Undefined: plaintext. */
  readonly certificates: Certificates | undefined;
}

export interface WorkerServer {
  readonly port: number;
  /** Accepts no more connections and tells clients to go elsewhere; what they sent before they knew is served. */
  stopAccepting(): Promise<void>;
  /** Settles when the last connection is closed. Call `stopAccepting` first. */
  readonly closed: Promise<void>;
  /** Breaks the connections that are still open. Call `stopAccepting` first. */
  destroy(): void;
}

/**
 * Serves a worker's methods, by every protocol that its settings name, on one port.
 *
 * @throws RestBindingError where HTTP annotations cannot be served; an error of the system, such as EADDRINUSE,
 * where the address cannot be had
 */
export async function startServer(core: Core, options: ServerOptions): Promise<WorkerServer> {
  const { settings, certificates } = options;
  const { host, port, maxConnections, protocols, compression } = settings;
  const http = protocols.includes("http") ? await createHttp(core, options) : undefined;
  const grpc = protocols.includes("grpc")
    ? createGrpcServer(
        core.routes,
        { ...core, compression },
        {
          maxConnectionAgeMs: settings.maxConnectionAgeMs,
          maxConnectionAgeGraceMs: settings.drainTimeoutMs,
        },
      )
    : undefined;
  const sniffer = createSniffer({ http2: grpc?.accept, http1: http?.accept });
  const spoken: readonly AlpnProtocol[] = [
    ...(http && settings.tlsAlpn === "http/1.1" ? (["http/1.1"] as const) : []),
    ...(grpc ? (["h2"] as const) : []),
    ...(http && settings.tlsAlpn === "h2" ? (["http/1.1"] as const) : []),
  ];
  const listener = await listen({
    host,
    port,
    maxConnections,
    certificates,
    protocols: spoken,
    log: core.log,
    onConnection(socket, protocol) {
      if (protocol === undefined) sniffer.accept(socket);
      else if (protocol === "h2") grpc?.accept(socket);
      else http?.accept(socket);
    },
  }).catch(async (error) => {
    grpc?.close();
    await http?.stopAccepting();
    throw error;
  });
  const { promise: closed, resolve } = Promise.withResolvers<void>();

  return {
    port: listener.port,
    closed,
    async stopAccepting() {
      // The listener knows when the last connection has gone: grpc-js does not wait for those that were injected.
      void listener.close().then(() => {
        grpc?.close();
        resolve();
      });
      sniffer.stopAccepting();
      await Promise.all([grpc?.stopAccepting(), http?.stopAccepting()]);
    },
    destroy: () => listener.destroy(),
  };
}
