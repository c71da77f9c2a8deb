import { fromBinary, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { StatusSchema } from "@gantry/proto/google/rpc/status_pb.js";
import type { Metadata } from "@grpc/grpc-js";
import { connect, type Methods, type PlainClient, serviceOf } from "../plain-client.ts";
import { type AddressOf, ALL_KINDS, detailJson, OK, outcome, type Protocol } from "./protocol.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
const SERVICES: Readonly<Record<string, Methods>> = {
  "greeter.v1.Greeter": {
    ...greeter,
    NoSuch: { ...found(greeter.SayHello), path: "/greeter.v1.Greeter/NoSuch" },
  },
  "math.v1.Math": serviceOf("math/v1/math.proto", "math.v1.Math"),
};

/** gRPC, by `@grpc/grpc-js`. */
export function grpc(addressOf: AddressOf): Protocol {
  const clients = new Map<string, PlainClient>();
  const clientOf = (method: string) => {
    const service = method.replace(/\/.*/, "");
    const known = clients.get(service);
    if (known) return known;
    const client = connect(addressOf(method), found(SERVICES[service]));
    clients.set(service, client);
    return client;
  };
  return {
    name: "grpc",
    kinds: ALL_KINDS,
    async call({ method, requests, headers = {}, timeoutMs }) {
      // Not the client's own deadline, by which it would end the call before the worker does.
      const timeout = timeoutMs === undefined ? {} : { "grpc-timeout": `${timeoutMs}m` };
      const answer = await clientOf(method).call(method.replace(/.*\//, ""), requests, {
        ...headers,
        ...timeout,
      });
      const { code, details: message, trailers } = answer;
      // They are of the types that JSON has: proto-loader was asked for texts in the place of other ones.
      const replies = answer.replies as JsonObject[];
      const metadata = { ...textsIn(answer.headers), ...textsIn(trailers) };
      // The library makes up a text for calls that went well.
      const status = code === 0 ? OK : { code, message, details: detailsIn(trailers) };
      return outcome(replies, status, metadata);
    },
    [Symbol.dispose]() {
      for (const client of clients.values()) client[Symbol.dispose]();
    },
  };
}

function detailsIn(trailers: Metadata): JsonValue[] {
  const [bytes] = trailers.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(bytes)) return [];
  const { details } = fromBinary(StatusSchema, bytes);
  return details.map(({ typeUrl, value }) => detailJson(typeUrl.replace(/.*\//, ""), value));
}

function textsIn(metadata: Metadata): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.getMap()).map(([key, value]) => [key, String(value)]));
}

function found<T>(what: T | undefined): T {
  if (what === undefined) throw new Error("The contracts have lost what this test calls.");
  return what;
}
