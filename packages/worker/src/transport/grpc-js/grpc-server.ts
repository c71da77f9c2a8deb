import type { Socket } from "node:net";
import * as grpc from "@grpc/grpc-js";
import type { Route } from "../../pipeline.ts";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import { sayGoodbye } from "./goodbye.ts";
import { GrpcCall, type GrpcHost } from "./grpc-call.ts";
import { watchRequestHeaders } from "./request-headers.ts";
import { handlerType, type TracedRoute } from "./traced.ts";

/** What a server is told beside its routes. */
export interface GrpcServerOptions {
  readonly maxConnectionAgeMs: number;
  /** How long streams may go on after a connection was told to move on. */
  readonly maxConnectionAgeGraceMs: number;
}

export interface GrpcServer {
  /** Takes over a connection that speaks HTTP/2. */
  accept(socket: Socket): void;
  /** Tells clients to go elsewhere; what they sent before they knew is served. */
  stopAccepting(): Promise<void>;
  /** Lets go of what the server holds. Call it when the last connection is closed. */
  close(): void;
}

/** The exports that OpenTelemetry's instrumentation patches. */
export const grpcModule: object = grpc;

const MAX_STREAMS_PER_CONNECTION = 1_000;
/** A peer that vanished without a word is found out after a minute, and let go 20 s later. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;

/** Serves the routes by gRPC over HTTP/2, on connections that somebody else accepts. */
export function createGrpcServer(
  routes: ReadonlyMap<string, Route>,
  callHost: GrpcHost,
  options: GrpcServerOptions,
): GrpcServer {
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
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();

  return {
    accept(socket) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      injector.injectConnection(socket);
    },
    async stopAccepting() {
      await sayGoodbye(sockets);
      // grpc-js does not wait for connections that were injected: who accepted them does.
      server.tryShutdown(() => {});
    },
    close: () => headers.close(),
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
