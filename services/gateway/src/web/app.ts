import type { RequestListener } from "node:http";
import { Code, RpcError } from "@gantry/rpc";
import type { WebParts } from "@gantry/worker";
import express, { type NextFunction, type Request, type RequestHandler, type Response } from "express";
import type { Console } from "../console/console.ts";
import type { GraphqlHandler } from "../graphql/yoga.ts";
import { sayHello } from "./say-hello.ts";
import { pageHeaders, securityHeaders } from "./security-headers.ts";

export interface AppOptions {
  readonly version: string;
  readonly parts: WebParts;
  /** Makes what answers `/graphql`, when the first request comes for it. */
  readonly graphql: () => Promise<GraphqlHandler>;
  /** Undefined: there is none. */
  readonly console: Console | undefined;
}

/** What the gateway serves over HTTP beside the methods' own paths. */
export function createApp({ version, parts, graphql, console }: AppOptions): RequestListener {
  const app = express();
  app.disable("x-powered-by").disable("etag").set("query parser", "simple");
  app.use(securityHeaders);

  const cors: RequestHandler = (request, response, next) => {
    if (!parts.cors(request, response)) next();
  };
  app.get("/", (_, response) => {
    response.json({ name: "gateway", version, paths: PATHS });
  });
  app.get("/rpc", cors, sayHello(parts));
  let loading: Promise<GraphqlHandler> | undefined;
  app.all("/graphql", cors, pageHeaders, onlyJson, async (request, response) => {
    // At once, so that a client that leaves meanwhile is noticed.
    const caller = parts.callerOf(request, response);
    loading ??= graphql();
    return (await loading)(request, response, { caller });
  });
  if (console) app.use("/console", console.handle);
  app.use((request, response) => parts.edge(request, response));

  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    parts.answerError(request, response, isMalformed(error) ? malformed() : error);
  });
  return app;
}

/** What `/` tells of. */
const PATHS = {
  "/rpc?name=…": "a greeting as text",
  "/graphql": "GraphQL, and GraphiQL in browsers",
  "/socket.io": "Socket.IO",
  "/openapi.json": "every method's paths",
};

/** A form of any page on the web may be posted to here without asking, but not JSON. */
const onlyJson: RequestHandler = (request, response, next) => {
  if (request.method !== "POST" || request.is(["application/json", "application/graphql+json"]))
    return next();
  response
    .status(415)
    .json({ errors: [{ message: "GraphQL is read from bodies of application/json alone." }] });
};

/** Express says of a path that it cannot decode, as of `%zz`, that its status is 400. */
function isMalformed(error: unknown): boolean {
  return typeof error === "object" && error !== null && "status" in error && error.status === 400;
}

function malformed(): RpcError {
  return new RpcError(Code.InvalidArgument, "The path of the request cannot be decoded.");
}
