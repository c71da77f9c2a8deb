import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { namesOn } from "../tls/certificate-names.ts";

const NO_NAMES: readonly string[] = [];

/** By HTTP/2 session: reading a certificate takes 0.14 ms, more than most calls do. */
const namesBySession = new WeakMap<object, readonly string[]>();

/** The names on the certificate that the call's client has shown and that was verified; none over plaintext. */
export function certificateNamesOf(wire: ServerInterceptingCallInterface): readonly string[] {
  const session = sessionOf(wire);
  const known = session && namesBySession.get(session);
  if (known) return known;
  // grpc-js gives no certificate that was not verified.
  const { sslPeerCertificate } = wire.getAuthContext();
  const names = sslPeerCertificate ? namesOn(sslPeerCertificate) : NO_NAMES;
  if (session) namesBySession.set(session, names);
  return names;
}

/** The HTTP/2 session of a call. Not public in grpc-js: where it is not found, nothing is remembered by it. */
export function sessionOf(wire: ServerInterceptingCallInterface): object | undefined {
  const stream: unknown = Reflect.get(wire, "stream");
  if (typeof stream !== "object" || stream === null) return undefined;
  const session: unknown = Reflect.get(stream, "session");
  return typeof session === "object" && session !== null ? session : undefined;
}
