import { Code, RpcError } from "@gantry/rpc";
import type { Call } from "../call.ts";
import type { Interceptor } from "../interceptor.ts";
import { isPromise } from "./promises.ts";
import { mapErrors } from "./streams.ts";
import { isForCaller, thrown } from "./thrown.ts";

/**
 * Whatever is thrown leaves as an `RpcError`. What is none was not meant for the caller: the log gets
 * it with its stack and trace id, the caller gets INTERNAL, and the process goes on.
 */
export const recover: Interceptor = (next, method) => {
  if (method.serverStreaming) {
    return async (call) => {
      try {
        return mapErrors(await next(call), (error) => recovered(call, error));
      } catch (error) {
        throw recovered(call, error);
      }
    };
  }
  return (call) => {
    try {
      const response = next(call);
      return isPromise(response)
        ? response.catch((error) => Promise.reject(recovered(call, error)))
        : response;
    } catch (error) {
      throw recovered(call, error);
    }
  };
};

/** Logs what a handler threw, if it was not meant for the caller. */
export function logUnexpected(call: Call, error: unknown): void {
  if (!isForCaller(error)) call.log.error({ err: thrown(error) }, "the handler threw");
}

function recovered(call: Call, error: unknown): RpcError {
  if (isForCaller(error)) return error;
  logUnexpected(call, error);
  return new RpcError(
    Code.Internal,
    `The service failed in a way that it did not expect; its log says more under trace id ${call.trace.traceId}.`,
  );
}
