import { codeName, RpcError } from "@gantry/rpc";
import { GraphQLError } from "graphql";
import type { JsonCodec } from "../json/json-codec.ts";

/**
 * A call's error as GraphQL shows it: the code by name and number, and the details. What is no `RpcError` stays
 * as it is: it is logged, and callers get a neutral sentence.
 */
export function graphqlError(error: unknown, codec: JsonCodec): unknown {
  if (!(error instanceof RpcError)) return error;
  const { details } = codec.status(error);
  return new GraphQLError(error.message, {
    extensions: { code: codeName(error.code), grpcStatus: error.code, details },
  });
}
