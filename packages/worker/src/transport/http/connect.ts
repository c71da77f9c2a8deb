/**
 * Connect and gRPC-Web, by `@connectrpc/connect`. The library reads and writes messages; each method's
 * implementation hands them on to the method's route. Imported with the first such request.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescMethod, Message, Registry } from "@bufbuild/protobuf";
import {
  type Code as ConnectCode,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { type Code, type Metadata, RpcError } from "@gantry/rpc";
import type { Route } from "../../pipeline.ts";
import type { Protocol } from "../../protocol.ts";
import { InProcessCall, type InProcessHost, type Input } from "../in-process/in-process-call.ts";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import { closesIfUnread, cutOffIfStalled, drained } from "./answer.ts";
import { BODY_WITHIN_MS, chunksOf } from "./body.ts";
import { callerOf, type HttpCaller } from "./caller.ts";
import { expose } from "./cors.ts";
import { answerError, HttpError, statusHeaders } from "./errors.ts";
import { parseGrpcTimeoutMs, responseHeaders } from "./metadata.ts";

/** What the library makes no use of, and hands through. */
interface Exchange extends HttpCaller {
  readonly protocol: Protocol;
  readonly response: ServerResponse;
}

const EXCHANGE = createContextKey<Exchange | undefined>(undefined);

const WORTH_COMPRESSING_BYTES = 1_024;
/** The greatest that the library takes. */
const NEVER_COMPRESS = 0xffff_ffff;
/** The longest delay that a timer of Node.js takes. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface ConnectOptions {
  readonly host: InProcessHost;
  /** What a `google.protobuf.Any` may hold. */
  readonly types: () => Registry;
  /** Whether replies are compressed for clients that accept it. */
  readonly compression: "none" | "gzip";
}

/** A request of a method's own path. */
export interface ConnectRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly protocol: Protocol;
}

export type AnswerConnect = (request: ConnectRequest) => Promise<void>;

export function createConnect({ host, types, compression }: ConnectOptions): AnswerConnect {
  const handlers = new Map<DescMethod, UniversalHandler>();

  function handlerOf(route: Route): UniversalHandler {
    const { desc } = route.method;
    const known = handlers.get(desc);
    if (known) return known;
    const [handler] = createConnectRouter({
      grpc: false,
      readMaxBytes: MAX_MESSAGE_BYTES,
      writeMaxBytes: MAX_MESSAGE_BYTES,
      acceptCompression: [compressionGzip, compressionBrotli],
      compressMinBytes: compression === "none" ? NEVER_COMPRESS : WORTH_COMPRESSING_BYTES,
      jsonOptions: { registry: types() },
    }).rpc(desc, implementation(route, host)).handlers;
    if (!handler) throw new TypeError(`@connectrpc/connect made no handler of ${route.method.name}.`);
    handlers.set(desc, handler);
    return handler;
  }

  return async ({ request, response, route, protocol }) => {
    const exchange = { ...callerOf(request, response), protocol, response };
    const late: { error?: HttpError } = {};
    const answered = await handlerOf(route)({
      httpVersion: request.httpVersion,
      method: request.method ?? "",
      // The library looks at the query alone.
      url: `http://localhost${request.url}`,
      header: webHeaders(request),
      body: bodyOf(request, route, late),
      signal: exchange.signal,
      contextValues: createContextValues().set(EXCHANGE, exchange),
    });
    if (late.error) return answerError(request, response, late.error);
    if (response.destroyed) return;
    expose(response, answered.header?.keys() ?? []);
    closesIfUnread(request, response);
    const closed = new Promise<void>((resolve) => response.once("close", resolve));
    const body = answered.body && untilRead(answered.body, request, response);
    const written = universalResponseToNodeResponse(body ? { ...answered, body } : answered, response);
    // What the library gives back settles only where it fails: it waits for an event that no response has.
    await Promise.race([closed, written]).catch((error) => {
      if (!response.destroyed) throw error;
    });
  };
}

/** What the library calls for a method: it hands messages on to the method's route. */
function implementation(route: Route, host: InProcessHost): MethodImpl<DescMethod> {
  const begin = (input: Input, context: HandlerContext) => {
    const exchange = context.values.get(EXCHANGE);
    if (!exchange) throw new TypeError("@connectrpc/connect lost the values of a call's context.");
    const timeoutMs = context.timeoutMs();
    return new InProcessCall(route, host, input, {
      ...exchange,
      ...(timeoutMs !== undefined && { timeoutMs }),
      onHeaders: (headers) => put(headers, context.responseHeader),
      onTrailers: (trailers) => put(trailers, context.responseTrailer),
      // A client that takes nothing will not take its status either, and the library waits for it.
      onAbort: () => {
        if (exchange.response.writableNeedDrain) exchange.response.destroy();
      },
      requestsFailed,
    });
  };
  const one = async (input: Input, context: HandlerContext): Promise<Message> => {
    try {
      return await begin(input, context).one();
    } catch (error) {
      throw connectError(error, context);
    }
  };
  async function* all(input: Input, context: HandlerContext): AsyncGenerator<Message> {
    try {
      for await (const message of begin(input, context).all()) yield message;
    } catch (error) {
      throw connectError(error, context);
    }
  }
  // The library calls it by the method's kind, as this was made for.
  return (route.method.serverStreaming ? all : one) as MethodImpl<DescMethod>;
}

/** Details go as the bytes that they are. */
function connectError(error: unknown, context: HandlerContext): unknown {
  if (!(error instanceof RpcError)) return error;
  // Both have the codes of gRPC.
  const found = new ConnectError(error.message, error.code as number as ConnectCode);
  found.details = error.toStatus().details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  // Others have their status in the body, and 200 where HTTP has its own.
  if (context.protocolName === "connect" && context.method.methodKind === "unary") {
    for (const [name, value] of Object.entries(statusHeaders(error))) {
      context.responseHeader.set(name, String(value));
    }
  }
  return found;
}

/** A message that cannot be read is the client's fault, and says what is wrong with it. */
function requestsFailed(cause: unknown): RpcError {
  if (cause instanceof RpcError) return cause;
  const { code, rawMessage } = ConnectError.from(cause);
  return new RpcError(code as number as Code, rawMessage);
}

function put(metadata: Metadata, target: Headers): void {
  for (const [name, value] of Object.entries(responseHeaders(metadata))) {
    for (const one of [value].flat()) target.append(name, one);
  }
}

function webHeaders({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  // The library sets a timer, and longer ones would end at once.
  if (Number(headers.get("connect-timeout-ms")) > MAX_TIMEOUT_MS) {
    headers.set("connect-timeout-ms", String(MAX_TIMEOUT_MS));
  }
  const timeoutMs = parseGrpcTimeoutMs(headers.get("grpc-timeout") ?? "");
  if (timeoutMs !== undefined && timeoutMs > MAX_TIMEOUT_MS)
    headers.set("grpc-timeout", `${(MAX_TIMEOUT_MS / 1e3) | 0}S`);
  return headers;
}

/** @param late told why a body did not come in time, which HTTP has a status for */
async function* bodyOf(
  request: IncomingMessage,
  { method }: Route,
  late: { error?: HttpError },
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunksOf(request, method.clientStreaming ? undefined : BODY_WITHIN_MS);
  } catch (error) {
    if (error instanceof HttpError) late.error = error;
    throw error;
  }
}

/** The same body, which ends when the request has, too. */
async function* untilRead(
  body: AsyncIterable<Uint8Array>,
  request: IncomingMessage,
  response: ServerResponse,
): AsyncGenerator<Uint8Array> {
  yield* body;
  await drained(request);
  cutOffIfStalled(response);
}
