import { Code } from "@gantry/rpc";
import { Metadata, type ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { deadlineExceeded } from "../../call.ts";
import { NO_ENCODING } from "./request-headers.ts";

export type Status = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

/** What grpc-js can unpack. */
const ACCEPTED_ENCODINGS = "identity,deflate,gzip";

/**
 * grpc-js ends some calls on its own account, before anyone else sees what is wrong with them. These are
 * the same statuses, where the gRPC specification asks for more, or for another code, and where grpc-js
 * calls INTERNAL what the client alone is to blame for. A deadline that has passed is noticed by it or by
 * the call, whichever is first, and has the same words. Those that it words well stay as they are, as of a
 * message that is too large.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/compression.md, "Test cases".
 */
export function inOurWords(status: Status): Status {
  const { code, details = "" } = status;
  if (code === Code.DeadlineExceeded) return { code, details: deadlineExceeded().message };
  if (code === Code.Unimplemented) {
    if (details.includes(NO_ENCODING)) {
      return {
        code: Code.Internal,
        details:
          'The request has a message with the flag "compressed": expected its encoding in grpc-encoding.',
      };
    }
    const metadata = new Metadata();
    metadata.set("grpc-accept-encoding", ACCEPTED_ENCODINGS);
    return { code, details, metadata };
  }
  if (code !== Code.Internal) return status;
  if (details === "Failed to decompress message") {
    return {
      code: Code.InvalidArgument,
      details:
        "The request has a message that does not decompress: expected it in the encoding of grpc-encoding.",
    };
  }
  if (details.startsWith("Invalid grpc-timeout")) {
    return {
      code: Code.InvalidArgument,
      details:
        "The request's grpc-timeout is not valid: expected up to eight digits and one of H, M, S, m, u, n.",
    };
  }
  return status;
}
