import { type StatusObject, status as statusCodes } from "@grpc/grpc-js";

/**
 * Whether a call failed because its connection broke, rather than by a status of the server's: grpc-js makes
 * such a status up itself, in these words, and there are no trailers beside it.
 */
export function isLostConnection({ code, details, metadata }: StatusObject): boolean {
  return (
    code === statusCodes.UNAVAILABLE &&
    Object.keys(metadata.getMap()).length === 0 &&
    /^Connection dropped$|\bECONNRESET\b|\bETIMEDOUT\b/.test(details)
  );
}
