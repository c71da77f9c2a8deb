/** An address by which a worker that listens on all of them is reached from here. */
export function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

/** Where a port of a worker is reached from here: `127.0.0.1:50051`, `[::1]:50051`. */
export function addressOf(host: string, port: number): string {
  const address = reachable(host);
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
