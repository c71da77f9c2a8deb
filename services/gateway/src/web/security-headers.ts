import type { RequestHandler } from "express";

/** Answers are data: nothing in them is to be run, framed or guessed at, whatever a browser takes it for. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  next();
};

/** GraphiQL brings its scripts along inside of its page, and asks nobody but this server. */
export const pageHeaders: RequestHandler = (request, response, next) => {
  if (request.method === "GET" && request.accepts(["json", "html"]) === "html") {
    response.set("content-security-policy", PAGE_POLICY);
  }
  next();
};

const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' blob:",
  "worker-src blob:",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "font-src data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
