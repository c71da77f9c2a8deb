import type { IncomingMessage } from "node:http";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import { isMetadata, sendable } from "../header-rules.ts";
import type { Headers } from "./answer.ts";

/** Headers that are about one hop or about a body, and none of a handler's business. RFC 9110, section 7.6.1. */
const NOT_REQUEST_METADATA: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "access-control-request-headers",
  "access-control-request-method",
  "connect-accept-encoding",
  "connect-content-encoding",
  "connect-protocol-version",
  "connect-timeout-ms",
  "content-encoding",
  "content-language",
  "expect",
  "grpc-timeout",
  "proxy-authenticate",
  "proxy-authorization",
  "trailer",
  "x-grpc-web",
]);

/** What the answer says of itself, whatever a handler would have it say. */
const NOT_RESPONSE_METADATA: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-range",
  "date",
  "trailer",
]);
const CORS = "access-control-";

/** A request's headers as metadata, but for those that HTTP has for itself. */
export function requestMetadata({ rawHeaders, headers }: IncomingMessage): Metadata {
  const metadata = new Metadata();
  const perHop = new Set(headers.connection?.toLowerCase().split(/\s*,\s*/));
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const key = rawHeaders[at]?.toLowerCase() ?? "";
    const value = rawHeaders[at + 1] ?? "";
    if (!isMetadata(key) || NOT_REQUEST_METADATA.has(key) || perHop.has(key)) continue;
    // What HTTP lets through may still be no metadata: it was not meant for us.
    try {
      if (!key.endsWith("-bin")) metadata.append(key, value);
      else for (const one of value.split(",")) metadata.append(key, Buffer.from(one, "base64"));
    } catch {}
  }
  return metadata;
}

/** Metadata as headers of an answer; a key that is in several parts has the values of all. */
export function responseHeaders(...parts: readonly (Metadata | undefined)[]): Headers {
  const values = new Map<string, string[]>();
  for (const part of parts) {
    for (const [key, value] of part ?? []) {
      if (!isMetadata(key) || NOT_RESPONSE_METADATA.has(key) || key.startsWith(CORS)) continue;
      const text = typeof value === "string" ? value : Buffer.from(value).toString("base64");
      const others = values.get(key);
      if (others) others.push(text);
      else values.set(key, [text]);
    }
  }
  return Object.fromEntries(Array.from(values, ([key, several]) => [key, sendable(key, several)]));
}

/** A byte of a timeout's unit, in milliseconds. */
const UNITS_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * The time that a request gives its call, in milliseconds; undefined where it does not say.
 *
 * @throws RpcError INVALID_ARGUMENT where the header `Grpc-Timeout` is none
 */
export function timeoutMsOf({ headers }: IncomingMessage): number | undefined {
  const text = headers["grpc-timeout"];
  if (text === undefined) return undefined;
  const timeoutMs = parseGrpcTimeoutMs(String(text));
  if (timeoutMs !== undefined) return timeoutMs;
  throw new RpcError(
    Code.InvalidArgument,
    "The request's grpc-timeout is not valid: expected up to eight digits and one of H, M, S, m, u, n.",
  );
}

/**
 * Milliseconds of a header `grpc-timeout`: up to eight digits and a unit; undefined where it is none.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Timeout".
 */
export function parseGrpcTimeoutMs(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  return digits === undefined || unitMs === undefined ? undefined : Number(digits) * unitMs;
}
