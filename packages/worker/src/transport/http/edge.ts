/**
 * What a worker answers over HTTP/1.1: calls by REST, Connect and gRPC-Web, `/healthz` and `/openapi.json`.
 * Imported with the first request.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { ServerReflection } from "@gantry/proto/grpc/reflection/v1/reflection_pb.js";
import { Code } from "@gantry/rpc";
import type { Logger } from "../../log.ts";
import type { Route } from "../../pipeline.ts";
import type { Protocol } from "../../protocol.ts";
import type { InProcessHost } from "../in-process/in-process-call.ts";
import { createInProcessClient } from "../in-process/in-process-client.ts";
import { answer } from "./answer.ts";
import { callerOf } from "./caller.ts";
import type { AnswerConnect } from "./connect.ts";
import { answerCors, type CorsOrigins } from "./cors.ts";
import { answerFailure, HttpError, notFound, unsupportedType, wrongVerb } from "./errors.ts";
import type { RestRouter } from "./rest/router.ts";
import { RestCall } from "./rest-call.ts";

export interface EdgeOptions {
  readonly host: InProcessHost;
  readonly rest: RestRouter;
  readonly log: Logger;
  readonly corsOrigins: CorsOrigins;
  readonly compression: "none" | "gzip";
  /** Whether the worker serves, for `/healthz`. */
  readonly isServing: () => boolean;
  /** The worker's name and release, for `/openapi.json`. */
  readonly name: string;
  readonly version: string;
}

/** As many as HTTP/2 lets through here. */
const MOST_HEADERS = 128;

/** The answers of one path that is no method's. */
type Page = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export function createEdge(options: EdgeOptions): RequestListener {
  const { host, rest, log, corsOrigins } = options;
  let connect: Promise<AnswerConnect> | undefined;
  const pages: ReadonlyMap<string, Page> = new Map([
    ["/healthz", healthz(options.isServing)],
    ["/openapi.json", openApi(options)],
  ]);

  const loadConnect = async () => {
    const { createConnect } = await import("./connect.ts");
    const { compression } = options;
    return createConnect({ host, types: rest.types, compression });
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.rawHeaders.length > 2 * MOST_HEADERS) throw tooManyHeaders(request.rawHeaders.length / 2);
    if (answerCors(corsOrigins, request, response)) return;
    const { method: httpMethod = "", url = "" } = request;
    const { path, query } = targetOf(url);

    const page = pages.get(path);
    if (page) {
      if (!allowed(["GET", "HEAD"], httpMethod, path, response)) return;
      return page(request, response);
    }
    const route = host.route(path);
    if (route) {
      const verbs = verbsOf(route);
      if (!allowed(verbs, httpMethod, path, response)) return;
      const protocol = protocolOf(request);
      connect ??= loadConnect();
      return (await connect)({ request, response, route, protocol });
    }
    const match = rest.match(httpMethod, path);
    if (!match) throw notFound(path);
    if ("allow" in match) {
      allowed(match.allow, httpMethod, path, response);
      return;
    }
    const called = host.route(`/${match.binding.method.parent.typeName}/${match.binding.method.name}`);
    if (!called) throw notFound(path);
    await new RestCall({ request, response, route: called, match, query, types: rest.types }).answer(host);
  }

  return (request, response) => {
    respond(request, response).catch((error) => answerFailure(request, response, error, log));
  };
}

/** Says which methods a path takes to who asks. @throws HttpError 405 @returns whether the request goes on */
function allowed(
  allow: readonly string[],
  httpMethod: string,
  path: string,
  response: ServerResponse,
): boolean {
  if (allow.includes(httpMethod)) return true;
  const all = [...allow, "OPTIONS"];
  if (httpMethod !== "OPTIONS") throw wrongVerb(httpMethod, path, all);
  response.writeHead(204, { allow: all.join(", ") }).end();
  return false;
}

/** A path and its query. A client that takes the worker for a proxy names the host too. */
function targetOf(url: string): { path: string; query: string } {
  const target = url.startsWith("http://") ? url.replace(/^http:\/\/[^/?#]*/, "") : url;
  const mark = target.indexOf("?");
  if (mark === -1) return { path: target, query: "" };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** Connect takes a call that has no side effects and one message each way as GET, so that it can be cached. */
function verbsOf({ method: { desc, kind } }: Route): string[] {
  return kind === "unary" && desc.idempotency === NO_SIDE_EFFECTS ? ["POST", "GET"] : ["POST"];
}

const { NO_SIDE_EFFECTS } = MethodOptions_IdempotencyLevel;

/** @throws HttpError 415 */
function protocolOf({ method, headers }: IncomingMessage): Protocol {
  const contentType = headers["content-type"];
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (method === "GET") return "connect";
  if (type !== undefined && /^application\/grpc-web(\+(proto|json))?$/.test(type)) return "grpc_web";
  if (type !== undefined && /^application\/(connect\+)?(json|proto)$/.test(type)) return "connect";
  const expected = "application/json or application/proto (Connect), or application/grpc-web";
  throw unsupportedType(
    contentType,
    type === "application/grpc" ? `HTTP/2 for that, or ${expected}` : expected,
  );
}

function healthz(isServing: () => boolean): Page {
  return (request, response) => {
    const serving = isServing();
    const body = JSON.stringify({ status: serving ? "SERVING" : "NOT_SERVING" });
    const headers = { "cache-control": "no-store" };
    answer(request, response, {
      status: serving ? 200 : 503,
      contentType: "application/json",
      body,
      headers,
    });
  };
}

/** It tells what reflection tells: so it tells those whom reflection answers. */
function openApi({ host, rest, name, version }: EdgeOptions): Page {
  let text: Promise<string> | undefined;
  const make = async () => {
    const { createOpenApi } = await import("./openapi/openapi.ts");
    return JSON.stringify(createOpenApi({ title: name, version, bindings: rest.bindings }));
  };
  return async (request, response) => {
    const caller = callerOf(request, response);
    const { serverReflectionInfo } = createInProcessClient(ServerReflection, host, {
      ...caller,
      protocol: "rest",
    });
    for await (const _ of serverReflectionInfo([], caller));
    text ??= make();
    answer(request, response, { status: 200, contentType: "application/json", body: await text });
  };
}

function tooManyHeaders(count: number): HttpError {
  return new HttpError(
    431,
    Code.ResourceExhausted,
    `The request has ${count} headers: expected at most ${MOST_HEADERS}.`,
  );
}
