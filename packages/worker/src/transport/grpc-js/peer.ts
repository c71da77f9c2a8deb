import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";

type ConnectionInfo = ReturnType<ServerInterceptingCallInterface["getConnectionInfo"]>;

/** `127.0.0.1:51234`, `[::1]:51234`. */
export function peerOf({ remoteAddress, remotePort }: ConnectionInfo): string {
  if (remoteAddress === undefined) return "unknown";
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
