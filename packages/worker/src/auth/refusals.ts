import { Code, errorInfo, RpcError } from "@gantry/rpc";
import type { Method } from "../method.ts";

const WHO_ARE_YOU = errorInfo("UNAUTHENTICATED", "gantry");
const KEYS_AWAY = errorInfo("AUTHENTICATION_UNAVAILABLE", "gantry");

/** One sentence, whatever was wrong: who guesses must not learn how near they came. */
export function unauthenticated(): RpcError {
  return new RpcError(
    Code.Unauthenticated,
    "The call does not show who makes it: its credentials are missing or not valid.",
    [WHO_ARE_YOU],
  );
}

export function permissionDenied({ name }: Method): RpcError {
  return new RpcError(Code.PermissionDenied, "The caller may not call this method.", [
    errorInfo("PERMISSION_DENIED", "gantry", { method: name }),
  ]);
}

export function authenticationUnavailable(): RpcError {
  return new RpcError(
    Code.Unavailable,
    "Who makes the call cannot be checked at the moment. Try again later.",
    [KEYS_AWAY],
  );
}
