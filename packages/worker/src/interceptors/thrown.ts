import { Code, RpcError } from "@gantry/rpc";

/** What was thrown, or something in the place of nothing: `Promise.reject()` is a failure as well. */
export function thrown(error: unknown): unknown {
  return error ?? new TypeError(`The handler threw ${error}: expected an error.`);
}

/** Whether an error says what the caller is to be told. One of code OK says nothing: a failure cannot be OK. */
export function isForCaller(error: unknown): error is RpcError {
  return error instanceof RpcError && error.code !== Code.Ok;
}
