import { createHash, timingSafeEqual } from "node:crypto";
import express, { type RequestHandler, Router } from "express";
import { readSpans } from "./otlp.ts";
import type { Traces } from "./traces.ts";

const LONGEST_BODY = "4mb";
const MOST_LINES = 2_000;
const LONGEST_LINE = 16 * 1024;

/**
 * Takes what workers say of themselves: spans, as OpenTelemetry's exporter sends them (`/v1/traces`, JSON), and
 * the lines of their logs (`/logs`, a line each).
 *
 * @param token who sends shows it as `authorization: Bearer …`. Undefined: nothing is taken
 */
export function feed(traces: Traces, token: string | undefined): RequestHandler {
  const router = Router();
  router.use((request, response, next) => {
    if (shows(request.headers.authorization, token)) return next();
    response
      .status(401)
      .json({ error: "Spans and lines are taken with the token of CONSOLE_FEED_TOKEN alone." });
  });
  router.post("/v1/traces", express.json({ limit: LONGEST_BODY }), (request, response) => {
    traces.addSpans(readSpans(request.body));
    response.json({});
  });
  router.post(
    "/logs",
    express.text({ limit: LONGEST_BODY, type: "application/x-ndjson" }),
    (request, response) => {
      const text: unknown = request.body;
      if (typeof text === "string")
        for (const line of text.split("\n").slice(0, MOST_LINES)) takeLine(traces, line);
      response.json({});
    },
  );
  router.use((_request, response) => {
    response.status(404).json({ error: "Expected POST to v1/traces or logs." });
  });
  return router;
}

/** A line that belongs to no call is not kept, nor is one that is no JSON. */
function takeLine(traces: Traces, text: string): void {
  if (text.length > LONGEST_LINE || !text.includes('"trace_id"')) return;
  try {
    const line: unknown = JSON.parse(text);
    // What JSON calls an object has fields of unknown kinds.
    if (typeof line === "object" && line !== null) traces.addLine(line as Record<string, unknown>);
  } catch {
    // A worker may print what is no line of its log.
  }
}

function shows(authorization = "", token: string | undefined): boolean {
  return token !== undefined && timingSafeEqual(digest(authorization), digest(`Bearer ${token}`));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
