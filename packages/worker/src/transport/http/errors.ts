import type { IncomingMessage, ServerResponse } from "node:http";
import type { Registry } from "@bufbuild/protobuf";
import { RetryInfoSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Code, durationMs, RpcError } from "@gantry/rpc";
import type { Logger } from "../../log.ts";
import { answer, type Headers } from "./answer.ts";
import { statusJson } from "./rest/status.ts";

/** What is wrong with a request before HTTP's own rules, and so has a status that gRPC's codes do not tell. */
export class HttpError extends RpcError {
  readonly headers: Headers;

  constructor(httpStatus: number, code: Code, message: string, headers: Headers = {}) {
    super(code, message, [], { httpStatus });
    this.headers = headers;
  }
}

export function notFound(path: string): HttpError {
  return new HttpError(404, Code.NotFound, `There is nothing at ${path}.`);
}

/** @param allow the methods that are */
export function wrongVerb(httpMethod: string, path: string, allow: readonly string[]): HttpError {
  const expected = allow.join(", ");
  return new HttpError(
    405,
    Code.Unimplemented,
    `${path} does not take ${httpMethod}: expected ${expected.replace(/, (?=[^,]*$)/, " or ")}.`,
    { allow: expected },
  );
}

export function unsupportedType(found: string | undefined, expected: string): HttpError {
  const named = found === undefined ? "has no content-type" : `is ${JSON.stringify(found)}`;
  return new HttpError(415, Code.InvalidArgument, `The body ${named}: expected ${expected}.`);
}

/**
 * Answers with an error: `google.rpc.Status` in JSON.
 *
 * @param headers to send beside it
 * @param types of its details, beside those of google.rpc
 */
export function answerError(
  request: IncomingMessage,
  response: ServerResponse,
  error: RpcError,
  headers: Headers = {},
  types?: () => Registry,
): void {
  answer(request, response, {
    status: error.httpStatus,
    contentType: "application/json",
    body: statusJson(error, types),
    headers: { ...statusHeaders(error), ...headers },
  });
}

/** Answers with whatever was thrown. What is no `RpcError` was not meant for the caller: the log gets it. */
export function answerFailure(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  log: Logger,
): void {
  if (error instanceof RpcError) {
    answerError(request, response, error);
    return;
  }
  log.error({ err: error, path: request.url?.split("?", 1)[0] }, "a request over HTTP failed");
  const told = new RpcError(Code.Internal, "The request failed; the worker's log says why.");
  if (response.headersSent) response.destroy();
  else answerError(request, response, told);
}

/** What HTTP has headers for: when to try again, how to say who one is. */
export function statusHeaders(error: RpcError): Headers {
  if (error instanceof HttpError) return error.headers;
  const { httpStatus } = error;
  if (httpStatus === 401) return { "www-authenticate": "Bearer" };
  if (httpStatus !== 429 && httpStatus !== 503) return {};
  const delay = error.details(RetryInfoSchema)[0]?.retryDelay;
  return delay ? { "retry-after": String(Math.max(0, Math.ceil(durationMs(delay) / 1_000))) } : {};
}
