import { Code, RpcError } from "@gantry/rpc";
import { LIMITS } from "./limits.ts";

/** What a client sends with `call`. */
export interface CallPayload {
  readonly id: string;
  readonly method: string;
  /** Every request; undefined where they come later, by `call:send`. */
  readonly requests: readonly unknown[] | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number | undefined;
}

/** @throws RpcError INVALID_ARGUMENT that says what was expected */
export function readCall(payload: unknown): CallPayload {
  const { id, method, request, requests, headers = {}, timeoutMs } = object(payload, "call");
  if (typeof method !== "string") throw invalid('"method" of call', "a name such as math.v1.Math/Sum");
  if (requests !== undefined && !Array.isArray(requests)) throw invalid('"requests" of call', "a list");
  if (requests !== undefined && request !== undefined) {
    throw invalid('"request" and "requests" of call', "one of the two");
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs > 0)) {
    throw invalid('"timeoutMs" of call', "a number above 0");
  }
  return {
    id: idOf(id, "call"),
    method,
    requests: requests ?? (request === undefined ? undefined : [request]),
    headers: object(headers, '"headers" of call'),
    timeoutMs,
  };
}

/** @throws RpcError INVALID_ARGUMENT */
export function readSend(payload: unknown): { id: string; message: unknown } {
  const { id, message } = object(payload, "call:send");
  return { id: idOf(id, "call:send"), message };
}

/** The call that `call:half-close` or `call:cancel` is about. @throws RpcError INVALID_ARGUMENT */
export function readId(payload: unknown, event: string): string {
  return idOf(object(payload, event).id, event);
}

/** The value of the header that a token is sent in. @throws RpcError INVALID_ARGUMENT, which does not repeat it */
export function readToken(payload: unknown): string {
  const { token } = object(payload, "login");
  const fits = typeof token === "string" && token.length <= LIMITS.tokenCharacters && /^[!-~]+$/.test(token);
  if (!fits) {
    throw invalid('"token" of login', `printable ASCII, at most ${LIMITS.tokenCharacters} characters of it`);
  }
  return `Bearer ${token}`;
}

/** @throws RpcError INVALID_ARGUMENT */
export function readText(payload: unknown): string {
  if (typeof payload !== "string") throw invalid("The payload of message", "text");
  return payload;
}

function idOf(id: unknown, event: string): string {
  if (typeof id === "string" && id.length > 0 && id.length <= LIMITS.idCharacters) return id;
  throw invalid(`"id" of ${event}`, `text of 1 to ${LIMITS.idCharacters} characters`);
}

function object(payload: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof payload === "object" && payload && !Array.isArray(payload)) {
    // An object's fields are unknown each by itself.
    return payload as Record<string, unknown>;
  }
  throw invalid(`The payload of ${what}`, "an object");
}

function invalid(what: string, expected: string): RpcError {
  return new RpcError(Code.InvalidArgument, `${what} is not valid: expected ${expected}.`);
}
