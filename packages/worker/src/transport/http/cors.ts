import type { IncomingMessage, ServerResponse } from "node:http";

/** Whose pages may read answers: those of these origins, or of any. */
export type CorsOrigins = "*" | readonly string[];

/** What scripts of pages may read beside the body, whatever an answer carries. */
const ALWAYS_EXPOSED = ["grpc-status", "grpc-message", "grpc-status-details-bin", "retry-after"];
/** How long a browser need not ask again, as long as any of them lets us say. */
const MAX_AGE_SECONDS = 7_200;
/** Names of headers, joined by commas. RFC 9110, section 5.6.2. */
const NAMES = /^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;

/**
 * Cross-origin resource sharing: says on an answer whose pages may read it, and answers the question that a
 * browser asks beforehand. Credentials of the browser's own, such as cookies, are only for origins that are
 * listed by name.
 *
 * Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 *
 * @returns whether the request was such a question, and is answered
 */
export function answerCors(
  origins: CorsOrigins,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (origins !== "*" && origins.length === 0) return false;
  const { origin } = request.headers;
  if (origins !== "*") response.appendHeader("vary", "origin");
  if (origin === undefined || (origins !== "*" && !origins.includes(origin))) return false;
  response.setHeader("access-control-allow-origin", origins === "*" ? "*" : origin);
  if (origins !== "*") response.setHeader("access-control-allow-credentials", "true");

  const httpMethod = request.headers["access-control-request-method"];
  if (request.method !== "OPTIONS" || httpMethod === undefined) {
    response.setHeader("access-control-expose-headers", ALWAYS_EXPOSED.join(", "));
    return false;
  }
  const names = request.headers["access-control-request-headers"];
  if (NAMES.test(httpMethod)) response.setHeader("access-control-allow-methods", httpMethod);
  if (names !== undefined && NAMES.test(names)) response.setHeader("access-control-allow-headers", names);
  response.setHeader("access-control-max-age", String(MAX_AGE_SECONDS));
  response.writeHead(204).end();
  return true;
}

/** Lets scripts of those pages read these headers too, where there are such pages. */
export function expose(response: ServerResponse, names: Iterable<string>): void {
  if (!response.hasHeader("access-control-expose-headers")) return;
  response.setHeader("access-control-expose-headers", [...ALWAYS_EXPOSED, ...names].join(", "));
}
