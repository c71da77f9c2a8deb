/**
 * Names that mean something below metadata. An author may set any key, as may whoever is on the far side
 * of a handler that passes on what it got; Node.js throws for some of these where nobody can catch it,
 * and others would take the place of what gRPC itself says.
 */

/** HTTP/2 does not allow these, or the worker answers with its own. They are left out. */
const NOT_METADATA: ReadonlySet<string> = new Set([
  "__proto__",
  "connection",
  "content-length",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** HTTP has these at most once, so that several values become one, joined by commas. */
const HAS_ONE_VALUE: ReadonlySet<string> = new Set([
  "access-control-allow-credentials",
  "access-control-max-age",
  "access-control-request-method",
  "age",
  "authorization",
  "content-encoding",
  "content-language",
  "content-location",
  "content-md5",
  "content-range",
  "date",
  "dnt",
  "etag",
  "expires",
  "from",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "range",
  "referer",
  "retry-after",
  "tk",
  "upgrade-insecure-requests",
  "user-agent",
  "x-content-type-options",
]);

/** Whether a key may be sent as metadata. */
export function isMetadata(key: string): boolean {
  return !NOT_METADATA.has(key);
}

/** The values of a key as they may be sent. */
export function sendable(key: string, values: readonly string[]): string | string[] {
  const [first, second] = values;
  if (first !== undefined && second === undefined) return first;
  return HAS_ONE_VALUE.has(key) ? values.join(", ") : [...values];
}
