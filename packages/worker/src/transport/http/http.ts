import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import type { Core } from "../../core.ts";
import type { Settings } from "../../settings.ts";
import type { Web } from "../../web.ts";
import type { InProcessHost } from "../in-process/in-process-call.ts";
import { createHttpServer, type HttpServer } from "./http-server.ts";
import { createRestRouter } from "./rest/router.ts";

export interface HttpOptions {
  /** The worker's name and release. */
  readonly name: string;
  readonly version: string;
  readonly settings: Settings;
  readonly web: Web | undefined;
}

/** The HTTP/1.1 side of a worker. */
export interface Http {
  /** Takes over a connection that speaks HTTP/1.1. */
  accept(socket: Socket): void;
  /** Closes idle connections, and others behind the answer to their request. */
  stopAccepting(): Promise<void>;
}

/**
 * Checks at once that every HTTP annotation can be served. What serves them is made with the first connection,
 * unless an author serves pages of his own.
 *
 * @throws RestBindingError where they cannot be
 */
export async function createHttp(core: Core, { name, version, settings, web }: HttpOptions): Promise<Http> {
  const { log } = core;
  const { maxConnectionAgeMs, corsOrigins, compression } = settings;
  const rest = createRestRouter(core.stats.methods.map(({ desc }) => desc));
  const host: InProcessHost = { ...core, route: (path) => core.routes.get(path) };

  let loading: Promise<RequestListener> | undefined;
  const load = async () => {
    const { createEdge } = await import("./edge.ts");
    const isServing = () => core.health.isServing();
    return createEdge({ host, rest, log, corsOrigins, compression, isServing, name, version });
  };
  const edge: RequestListener = (request, response) => {
    loading ??= load();
    loading.then(
      (handle) => handle(request, response),
      (error) => {
        log.error({ err: error }, "the edge of HTTP could not be loaded");
        response.destroy();
      },
    );
  };

  if (!web) {
    let server: HttpServer | undefined;
    return {
      accept(socket) {
        server ??= createHttpServer({ handle: edge, maxConnectionAgeMs });
        server.accept(socket);
      },
      async stopAccepting() {
        server?.stopAccepting();
      },
    };
  }

  const server = createHttpServer({
    handle: (request, response) => app.handle(request, response),
    maxConnectionAgeMs,
  });
  const { createWebParts } = await import("./web-parts.ts");
  const app = await web(createWebParts({ server: server.server, edge, host, log, corsOrigins }));
  if (server.server.listenerCount("upgrade") > 0) {
    server.server.prependListener("upgrade", ({ socket }) => server.letGo(socket));
  }
  return {
    accept: server.accept,
    async stopAccepting() {
      server.stopAccepting();
      try {
        await app.close();
      } catch (error) {
        log.error({ err: error }, "the web application did not close well");
      }
    },
  };
}
