import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../log.ts";
import { type AdminSubject, adminPages, json, type Page, type PageResponse } from "./admin-pages.ts";

// An `import` of node:http evaluates all of its exports, WebSocket's too, which loads undici: 20 ms of a start.
const { createServer } = process.getBuiltinModule("node:http");

export interface AdminServerOptions extends AdminSubject {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly log: Logger;
}

/** The admin port: metrics, probes and what is in force, over HTTP/1.1. Meant for operators, not for the outside. */
export interface AdminServer {
  /** The port that was taken. */
  readonly port: number;
  /** Stops listening and lets requests under way finish, at most for a second. */
  close(): Promise<void>;
}

const HEADER_BYTES = 8 * 1_024;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than scrapers wait between two scrapes, so that they keep their connection. */
const KEEP_ALIVE_MS = 75_000;
const CLOSE_TIMEOUT_MS = 1_000;

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

/** Starts the admin port. Rejects with the error of the system, such as EADDRINUSE, where the port cannot be had. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { host, log } = options;
  const pages = adminPages(options);
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (request, response) => void answer(pages, request, response, log),
  );
  server.listen({ host, port: options.port });
  await once(server, "listening");
  // A connection that could not be accepted, say for want of file descriptors, is no reason to end the process.
  server.on("error", (error) => log.error({ err: error }, "the admin port failed"));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        // Connections that have not sent a request yet count as busy: they would hold the worker up.
        const late = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
        server.close(() => {
          clearTimeout(late);
          resolve();
        });
      }),
  };
}

async function answer(
  pages: ReadonlyMap<string, Page>,
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
): Promise<void> {
  const { status, contentType, body } = await respond(pages, request, log);
  if (status === 405) response.setHeader("allow", "GET, HEAD");
  response.writeHead(status, {
    ...HEADERS,
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

async function respond(
  pages: ReadonlyMap<string, Page>,
  { method, url = "/", headers }: IncomingMessage,
  log: Logger,
): Promise<PageResponse> {
  const [path = "/", query = ""] = url.split("?", 2);
  const page = pages.get(path);
  if (!page)
    return json(404, { error: `There is no page ${path}: expected one of ${[...pages.keys()].join(" ")}` });
  if (method !== "GET" && method !== "HEAD") {
    return json(405, { error: `${path} answers GET and HEAD, not ${method}.` });
  }
  try {
    return await page({ query: new URLSearchParams(query), accept: headers.accept });
  } catch (error) {
    log.error({ err: error, path }, "an admin page failed");
    return json(500, { error: "The page failed; the log of the worker says why." });
  }
}
