import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { namesOn, namesOnce } from "../tls/certificate-names.ts";

/** The names on the certificate that the call's client has shown and that was verified; none over plaintext. */
export function certificateNamesOf(wire: ServerInterceptingCallInterface): readonly string[] {
  const session = sessionOf(wire);
  // grpc-js gives no certificate that was not verified.
  const read = () => wire.getAuthContext().sslPeerCertificate;
  if (session) return namesOnce(session, read);
  const certificate = read();
  return certificate ? namesOn(certificate) : [];
}

/** The HTTP/2 session of a call. Not public in grpc-js: where it is not found, nothing is remembered by it. */
export function sessionOf(wire: ServerInterceptingCallInterface): object | undefined {
  const stream: unknown = Reflect.get(wire, "stream");
  if (typeof stream !== "object" || stream === null) return undefined;
  const session: unknown = Reflect.get(stream, "session");
  return typeof session === "object" && session !== null ? session : undefined;
}
