import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code, RpcError } from "@gantry/rpc";
import type { WebParts } from "@gantry/worker";
import type { RequestHandler } from "express";

/** `GET /rpc?name=…`: a greeting as plain text. */
export function sayHello({ client, callerOf }: WebParts): RequestHandler {
  return async (request, response) => {
    const { name = "" } = request.query;
    if (typeof name !== "string")
      throw new RpcError(Code.InvalidArgument, "Several names came: expected one.");
    const caller = callerOf(request, response);
    const { reply } = await client(Greeter, { ...caller, protocol: "rest" }).sayHello({ name }, caller);
    response.type("text/plain").send(`Response from gRPC server: ${reply}`);
  };
}
