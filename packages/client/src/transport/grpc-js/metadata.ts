import { Metadata } from "@gantry/rpc";
import { Metadata as GrpcMetadata } from "@grpc/grpc-js";

/** Adds what came over the wire, in our terms. */
export function addFromGrpc(target: Metadata, metadata: GrpcMetadata): Metadata {
  for (const [key, values] of Object.entries(metadata.toJSON())) {
    // The details of an error are on the error, decoded; the others are HTTP's own.
    if (key === DETAILS || key === "content-type" || key === "date") continue;
    for (const value of values) {
      // What HTTP/2 lets through may still be no metadata: it was not meant for us.
      try {
        target.append(key, value);
      } catch {}
    }
  }
  return target;
}

export function fromGrpc(metadata: GrpcMetadata): Metadata {
  return addFromGrpc(new Metadata(), metadata);
}

/** What goes over the wire, in grpc-js's terms. */
export function toGrpc(metadata: Metadata): GrpcMetadata {
  const result = new GrpcMetadata();
  for (const [key, value] of metadata) result.add(key, typeof value === "string" ? value : asBuffer(value));
  return result;
}

/** The `google.rpc.Status` that explains an error, where its trailers have one. */
export function detailsOf(trailers: GrpcMetadata): Uint8Array | undefined {
  const [value] = trailers.get(DETAILS);
  return typeof value === "string" ? undefined : value;
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const DETAILS = "grpc-status-details-bin";
