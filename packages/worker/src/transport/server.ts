/** The port of a worker, and what is spoken there. */
import type { Core } from "../core.ts";
import { createGrpcServer } from "./grpc-js/grpc-server.ts";
import { createHttp, type HttpOptions } from "./http/http.ts";
import { openPort } from "./port.ts";
import { createSniffer } from "./sniff.ts";

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
export async function startServer(core: Core, options: HttpOptions): Promise<WorkerServer> {
  const { settings } = options;
  const { host, port: wanted, maxConnections, protocols, compression } = settings;
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
  const port = await openPort({ host, port: wanted, maxConnections, onConnection: sniffer.accept }).catch(
    async (error) => {
      grpc?.close();
      await http?.stopAccepting();
      throw error;
    },
  );
  void port.closed.then(() => grpc?.close());

  return {
    port: port.port,
    closed: port.closed,
    async stopAccepting() {
      port.close();
      sniffer.stopAccepting();
      await Promise.all([grpc?.stopAccepting(), http?.stopAccepting()]);
    },
    destroy: port.destroy,
  };
}
