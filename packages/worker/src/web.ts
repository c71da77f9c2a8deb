/** Pages and protocols that an author serves beside a worker's own, on the same port. */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@gantry/rpc";
import type { Logger } from "./log.ts";
import type { Settings } from "./settings.ts";
import type { Caller } from "./transport/in-process/in-process-call.ts";

/** What a worker gives to what an author serves beside it. */
export interface WebParts {
  /**
   * Gets every connection of HTTP/1.1, and never listens itself. Its event `upgrade` tells of a WebSocket; its
   * event `request` has a listener already: answer requests in `handle`.
   */
  readonly server: Server;
  /** The worker's own answers: REST, Connect, gRPC-Web, `/healthz`, `/openapi.json`, and 404 for the rest. */
  readonly edge: RequestListener;
  /**
   * A client of one of the worker's services, in this process and through the same chain as any other call.
   *
   * @param caller for whom it makes its calls: `{ peer: "203.0.113.7:51234", protocol: "graphql" }`
   * @throws TypeError where the worker does not have the service
   */
  client<S extends DescService>(service: S, caller?: Caller): Client<S>;
  /**
   * What a request says of the calls that are made for it: who makes them, headers as metadata, the time of
   * `Grpc-Timeout`, and a signal that aborts when the client has gone.
   *
   * @throws RpcError INVALID_ARGUMENT where `Grpc-Timeout` is no timeout
   */
  callerOf(request: IncomingMessage, response: ServerResponse): WebCaller;
  /** Who is at the other end of a connection: for calls that are made for it behind its request, as by a WebSocket. */
  peerOf(socket: Socket): WebPeer;
  /**
   * Says on an answer whose pages may read it, as `CORS_ORIGINS` has it.
   *
   * @returns whether the request was a browser's question for that, and is answered
   */
  cors(request: IncomingMessage, response: ServerResponse): boolean;
  /** Answers with `google.rpc.Status` in JSON; what is no `RpcError` is logged, and INTERNAL to the caller. */
  answerError(request: IncomingMessage, response: ServerResponse, error: unknown): void;
  readonly log: Logger;
  readonly settings: Pick<Settings, "corsOrigins">;
}

/** Who is at the other end of a connection, as `client` takes it. */
export type WebPeer = Required<Omit<Caller, "protocol">>;

/** Options of a call, and who makes it. */
export interface WebCaller extends WebPeer, Pick<CallOptions, "headers" | "signal" | "timeoutMs"> {}

/** What an author serves over HTTP/1.1. */
export interface WebApp {
  /** Gets every request, and hands those to `edge` that are not its own. */
  readonly handle: RequestListener;
  /** Called once when the worker drains, when it accepts no more connections: end what would not end by itself. */
  close(): Promise<void> | void;
}

/** Called once, before the worker serves. */
export type Web = (parts: WebParts) => WebApp | Promise<WebApp>;
