import * as grpc from "@grpc/grpc-js";
import type { Route } from "../../pipeline.ts";
import { type Listener, listen } from "../listener.ts";
import type { Certificates } from "../tls/certificates.ts";
import { sayGoodbye } from "./goodbye.ts";
import { GrpcCall, type GrpcHost } from "./grpc-call.ts";
import { MAX_MESSAGE_BYTES } from "./message-codec.ts";
import { watchRequestHeaders } from "./request-headers.ts";
import { handlerType, type TracedRoute } from "./traced.ts";

/** What a server is told beside its routes. */
export interface GrpcServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly maxConnections: number;
  /** Undefined: plaintext. */
  readonly certificates: Certificates | undefined;
  readonly maxConnectionAgeMs: number;
  /** How long streams may go on after a connection was told to move on. */
  readonly maxConnectionAgeGraceMs: number;
}

export interface GrpcServer {
  readonly port: number;
  /** Accepts no more connections and tells clients to go elsewhere; what they sent before they knew is served. */
  stopAccepting(): Promise<void>;
  /** Settles when the last connection is closed. Call `stopAccepting` first. */
  readonly closed: Promise<void>;
  /** Breaks the connections that are still open. Call `stopAccepting` first. */
  destroy(): void;
}

/** The exports that OpenTelemetry's instrumentation patches. */
export const grpcModule: object = grpc;

const MAX_STREAMS_PER_CONNECTION = 1_000;
/** A peer that vanished without a word is found out after a minute, and let go 20 s later. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

/** Serves the routes by gRPC over HTTP/2, in plaintext or TLS. Rejects where the address cannot be had. */
export async function startGrpcServer(
  routes: ReadonlyMap<string, Route>,
  callHost: GrpcHost,
  options: GrpcServerOptions,
): Promise<GrpcServer> {
  const grpcRoutes = new Map<string, TracedRoute>();
  const server = new grpc.Server({
    interceptors: [(method, wire) => new GrpcCall(wire, routeOf(grpcRoutes, method.path), callHost)],
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_concurrent_streams": MAX_STREAMS_PER_CONNECTION,
    "grpc.max_connection_age_ms": options.maxConnectionAgeMs,
    "grpc.max_connection_age_grace_ms": options.maxConnectionAgeGraceMs,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    "grpc.enable_channelz": 0,
  });
  for (const [path, route] of routes) {
    grpcRoutes.set(path, { ...route, traced: undefined });
    server.register(path, takenOver, same, same, handlerType(route.method));
  }

  const headers = watchRequestHeaders({ compresses: callHost.compression === "gzip" });
  // Connections are accepted here and handed over, so that other protocols can share the port.
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  let listener: Listener;
  try {
    listener = await listen({
      ...options,
      log: callHost.log,
      onConnection: (socket) => injector.injectConnection(socket),
    });
  } catch (error) {
    headers.close();
    throw error;
  }
  const { promise: closed, resolve } = Promise.withResolvers<void>();

  return {
    port: listener.port,
    closed,
    async stopAccepting() {
      // The listener knows when the last connection has gone; grpc-js does not wait for those that were
      // injected.
      void listener.close().then(() => {
        headers.close();
        resolve();
      });
      await sayGoodbye(listener.connections);
      server.tryShutdown(() => {});
    },
    // grpc-js's own forceShutdown knows of no connections unless channelz is on.
    destroy: () => listener.destroy(),
  };
}

function routeOf(routes: ReadonlyMap<string, TracedRoute>, path: string): TracedRoute {
  const route = routes.get(path);
  if (!route) throw new Error(`grpc-js passed on a call of ${path}, which was never registered.`);
  return route;
}

/** Registered so that grpc-js knows the method; `GrpcCall` takes every call over before it gets here. */
function takenOver(): never {
  throw new Error("A call reached the handler of grpc-js: its interceptor should have taken it over.");
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
