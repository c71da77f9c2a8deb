/** One end of a connection, as sockets have it. */
interface RemoteEnd {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** `127.0.0.1:51234`, `[::1]:51234`. */
export function peerOf({ remoteAddress, remotePort }: RemoteEnd): string {
  if (remoteAddress === undefined) return "unknown";
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
