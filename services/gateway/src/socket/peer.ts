import type { Socket } from "node:net";

/** The address of whoever is at the other end, as gRPC names it: `127.0.0.1:51234`, `[::1]:51234`. */
export function peerOf({ remoteAddress = "", remotePort = 0 }: Socket): string {
  return `${remoteAddress.includes(":") ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
}
