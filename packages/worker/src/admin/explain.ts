import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ExplainedMethodSchema,
  type ExplainResponse,
  ExplainResponseSchema,
} from "@gantry/proto/gantry/v1/admin_pb.js";
import { Code, RpcError } from "@gantry/rpc";

/** What is in force for each method of the worker, read anew each time. */
export type ReadExplained = () => readonly MessageInitShape<typeof ExplainedMethodSchema>[];

/**
 * Answers what is in force.
 *
 * @param method `package.Service/Method`, or "" for all of them
 * @throws RpcError NOT_FOUND for a method that the worker does not serve
 */
export function explain(read: ReadExplained, method: string): ExplainResponse {
  const methods = read().filter((each) => method === "" || each.method === method);
  if (method !== "" && methods.length === 0) {
    throw new RpcError(
      Code.NotFound,
      `There is no method "${method}" on this worker: expected one such as greeter.v1.Greeter/SayHello.`,
    );
  }
  return create(ExplainResponseSchema, { methods: [...methods] });
}
