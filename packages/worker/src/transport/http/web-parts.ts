import type { Server } from "node:http";
import type { Logger } from "../../log.ts";
import type { WebParts } from "../../web.ts";
import type { InProcessHost } from "../in-process/in-process-call.ts";
import { createInProcessClient } from "../in-process/in-process-client.ts";
import { callerOf, peerOn } from "./caller.ts";
import { answerCors, type CorsOrigins } from "./cors.ts";
import { answerFailure } from "./errors.ts";
import { timeoutMsOf } from "./metadata.ts";

export interface WebPartsOptions {
  readonly server: Server;
  readonly edge: WebParts["edge"];
  readonly host: InProcessHost;
  readonly log: Logger;
  readonly corsOrigins: CorsOrigins;
}

/** What an author's own pages are given to stand on. */
export function createWebParts({ server, edge, host, log, corsOrigins }: WebPartsOptions): WebParts {
  return {
    server,
    edge,
    client: (service, caller) => createInProcessClient(service, host, caller),
    callerOf(request, response) {
      const timeoutMs = timeoutMsOf(request);
      return { ...callerOf(request, response), ...(timeoutMs !== undefined && { timeoutMs }) };
    },
    peerOf: peerOn,
    cors: (request, response) => answerCors(corsOrigins, request, response),
    answerError: (request, response, error) => answerFailure(request, response, error, log),
    log,
    settings: { corsOrigins },
  };
}
