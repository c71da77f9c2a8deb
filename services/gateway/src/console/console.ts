import type { Channel } from "@gantry/client";
import { Admin } from "@gantry/proto/gantry/v1/admin_pb.js";
import { Code, isLoopback, Metadata, RpcError } from "@gantry/rpc";
import type { WebParts } from "@gantry/worker";
import express, { type RequestHandler, Router } from "express";
import type { Namespace, Socket } from "socket.io";
import { forCaller } from "../json/unexpected.ts";
import { readToken } from "../socket/payload.ts";
import { feed } from "./feed.ts";
import { startLive } from "./live.ts";
import { serveConsole } from "./session.ts";
import type { ConsoleSettings } from "./settings.ts";
import { createTraces } from "./traces.ts";

export interface ConsoleOptions {
  readonly settings: ConsoleSettings;
  readonly parts: WebParts;
  /** How the console reaches a worker. */
  readonly connectTo: (target: string) => Channel;
}

/** The console: its page under `/console`, and what the page asks over Socket.IO's namespace of that name. */
export interface Console {
  readonly handle: RequestHandler;
  /** Serves the pages that connect there. */
  attach(namespace: Namespace): void;
  close(): void;
}

/** The page is of this server alone, and runs nothing but its own files. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function createConsole({ settings, parts, connectTo }: ConsoleOptions): Console {
  const { log } = parts;
  const traces = createTraces();
  const live = startLive(settings.workers);
  const channels = new Map(settings.workers.map(({ name, target }) => [name, connectTo(target)]));
  /** Another name of this machine may be one that a page of anybody has made point here. */
  const isForUs = (host = "") =>
    !settings.localOnly || isLoopback(URL.parse(`http://${host}`)?.hostname ?? "");

  const router = Router();
  router.use((request, response, next) => {
    if (isForUs(request.headers.host)) return next();
    response.status(403).json({ error: "The console is served to this machine by its own names alone." });
  });
  router.use("/feed", feed(traces, settings.feedToken));
  router.use((_request, response, next) => {
    response.set("content-security-policy", PAGE_POLICY);
    next();
  });
  router.use(
    "/assets",
    express.static(`${settings.pageDirectory}/assets`, { immutable: true, maxAge: "1y", fallthrough: false }),
  );
  router.use(express.static(settings.pageDirectory, { cacheControl: false }));

  /** Who may ask the gateway what is in force may use the console. @throws RpcError for all others */
  async function admit({ request, handshake }: Socket): Promise<Metadata> {
    const { origin, host } = request.headers;
    if (!isForUs(host) || (origin !== undefined && URL.parse(origin)?.host !== host)) {
      throw new RpcError(Code.PermissionDenied, "The console is served to its own page alone.");
    }
    const headers = new Metadata();
    if (handshake.auth.token) headers.set("authorization", readToken(handshake.auth));
    const caller = { ...parts.peerOf(request.socket), protocol: "socket_io" } as const;
    await parts.client(Admin, caller).explain({}, { headers });
    return headers;
  }

  return {
    handle: router,
    attach(namespace) {
      namespace.use((socket, next) => {
        admit(socket).then(
          (headers) => {
            serveConsole(socket, { channels, live, traces, log, headers });
            next();
          },
          (error) =>
            next(Object.assign(new Error(forCaller(error, log).message), { data: { refused: true } })),
        );
      });
    },
    close() {
      live.close();
      for (const channel of channels.values()) void channel.close(0);
    },
  };
}
