import { Code, RpcError } from "@gantry/rpc";
import { refuseExposed } from "../credentials.ts";
import type { ClientCall, ClientInterceptor } from "../interceptor.ts";
import { observed } from "../streams.ts";
import { type SecretOptions, sendable, withHeaders } from "./secrets.ts";
import { type HeldToken, TokenCache, type TokenFunction } from "./token-cache.ts";

export interface TokenOptions extends SecretOptions {
  /** How long the function may take, in milliseconds; the calls that wait for it then fail. Default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Sends `authorization: Bearer …`, in place of any that a call brings. A function's token is kept until it has
 * expired, or the server refuses it with UNAUTHENTICATED: another one is then asked for and the call repeated
 * with it, once. That is so where the call has one request message and nothing of its answer has come,
 * response headers included; other calls fail, and the next one asks.
 *
 * The call fails with UNAUTHENTICATED where the function gives no token, with what it threw as the cause, and
 * with FAILED_PRECONDITION where the token could be read on the way.
 *
 * @throws TypeError where the token cannot be sent
 */
export function token(source: string | TokenFunction, options: TokenOptions = {}): ClientInterceptor {
  const { allowPlaintext = false, timeoutMs = 10_000 } = options;
  const send = typeof source === "string" ? withFixed(source) : withCache(new TokenCache(source, timeoutMs));
  return (next, method) => {
    const sent = send(next, method);
    return async (call) => {
      if (!allowPlaintext) refuseExposed(call);
      return sent(call);
    };
  };
}

function withFixed(text: string): ClientInterceptor {
  const authorization = `Bearer ${sendable("token() was given a token", text)}`;
  return (next) => (call) => next(withHeaders(call, { authorization }));
}

function withCache(tokens: TokenCache): ClientInterceptor {
  return (next, { methodKind }) => {
    const isRepeatable = methodKind === "unary" || methodKind === "server_streaming";
    const attempt = async (call: ClientCall, held: HeldToken) => {
      const dropIfRefused = (error: unknown) => {
        if (isRefusal(error)) tokens.drop(held);
      };
      try {
        const response = await next(withHeaders(call, { authorization: `Bearer ${held.text}` }));
        if (response.messages) response.messages = observed(response.messages, { end: dropIfRefused });
        return response;
      } catch (error) {
        dropIfRefused(error);
        throw error;
      }
    };
    return async (call) => {
      const held = await tokens.get();
      try {
        return await attempt(call, held);
      } catch (error) {
        if (!isRepeatable || !isRefusal(error)) throw error;
        return attempt(call, await tokens.get());
      }
    };
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof RpcError && error.code === Code.Unauthenticated;
}
