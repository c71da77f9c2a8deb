import { Code, RpcError } from "@gantry/rpc";
import type { Logger } from "@gantry/worker";

/**
 * What callers are told. What is no error of a call is a fault of this gateway: the log has it, callers get a
 * neutral sentence.
 */
export function forCaller(error: unknown, log: Logger): RpcError {
  if (error instanceof RpcError) return error;
  log.error({ err: error }, "the gateway itself failed, outside of any call");
  return new RpcError(Code.Internal, "The gateway failed; its log says why.");
}
