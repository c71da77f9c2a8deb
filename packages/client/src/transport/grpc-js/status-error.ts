import { Code, codeName, type Metadata, RpcError } from "@gantry/rpc";
import type { StatusObject } from "@grpc/grpc-js";
import { detailsOf } from "./metadata.ts";

/** The error that a call ends with whose status is not OK. */
export function errorOf(
  code: number,
  { details, metadata }: StatusObject,
  target: string,
  trailers: Metadata,
): RpcError {
  // A code that gRPC does not know counts as UNKNOWN, as its specification says.
  const known = codeName(code).startsWith("CODE(") ? Code.Unknown : (code as Code);
  const text = known === Code.Unavailable ? (noConnection(details, target) ?? details) : details;
  return RpcError.fromWire(known, text, detailsOf(metadata), trailers);
}

/** What grpc-js says where no address could be connected to: each of its parts adds to what the last one said. */
const NO_CONNECTION =
  /^(?:\w+: )?(?:No connection established\. Last error: )+(?:Error: )?(?<cause>.*?)(?: \(\d{4}-[\dT:.-]+Z\))?\. Resolution note: (?<note>.*)$/s;

function noConnection(details: string, target: string): string | undefined {
  const { cause, note } = NO_CONNECTION.exec(details)?.groups ?? {};
  if (cause === undefined) return undefined;
  return `There is no connection to ${target}: ${cause}${note ? ` (${note})` : ""}.`;
}
