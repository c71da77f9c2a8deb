/** Reads the details of errors as anybody can who has Google's contracts: from the package google-proto-files. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Metadata } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Message } from "./plain-client.ts";

/** A detail, with its type: `google.rpc.QuotaFailure`. */
export interface Detail extends Message {
  readonly type: string;
}

const contracts = loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"], {
  includeDirs: [dirname(createRequire(import.meta.url).resolve("google-proto-files/package.json"))],
  longs: Number,
  defaults: true,
});

/** The `google.rpc.Status` that came with these trailers. */
export function statusIn(trailers: Metadata): { code: number; message: string; details: Detail[] } {
  const [bytes] = trailers.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(bytes)) throw new Error("The trailers have no grpc-status-details-bin.");
  // The shape is that of google/rpc/status.proto.
  const { code, message, details } = decode("google.rpc.Status", bytes) as {
    code: number;
    message: string;
    details: { type_url: string; value: Buffer }[];
  };
  return {
    code,
    message,
    details: details.map(({ type_url, value }) => {
      const type = type_url.replace("type.googleapis.com/", "");
      return { type, ...decode(type, value) };
    }),
  };
}

function decode(type: string, bytes: Buffer): object {
  const contract = contracts[type];
  const deserialize = contract && "deserialize" in contract ? contract.deserialize : undefined;
  if (typeof deserialize !== "function") throw new Error(`google-proto-files has no message ${type}.`);
  return deserialize(bytes);
}
