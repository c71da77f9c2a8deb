import { Metadata } from "@gantry/rpc";

/** Which headers of a request say something to the worker: who calls, and whatever begins with `x-`. */
export function isForwarded(key: string): boolean {
  return FORWARDED.has(key) || (key.startsWith("x-") && key !== FORWARDED_FOR);
}

const FORWARDED = new Set(["authorization", "appid", "appkey"]);

/** Carries the caller's address to the worker; what a caller says in it is not believed. */
export const FORWARDED_FOR = "x-forwarded-for";

const TRACE = new Set(["traceparent", "tracestate"]);

/** The metadata that headers of a socket, or of a call over it, stand for. What metadata cannot hold is left out. */
export function metadataOf(headers: Readonly<Record<string, unknown>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (typeof value !== "string" || !(isForwarded(key) || TRACE.has(key))) continue;
    try {
      metadata.append(key, key.endsWith("-bin") ? Buffer.from(value, "base64") : value);
    } catch {
      // A browser may send letters of any language; metadata is ASCII.
    }
  }
  return metadata;
}
