/**
 * The host of a peer's address, without its port: `127.0.0.1:51234` and `[::ffff:127.0.0.1]:51234`
 * are both `127.0.0.1`, `[::1]:5` is `::1`. An IPv6 address with a port needs its brackets, else
 * nobody can tell the two apart; one without a port may stand bare. What is no address stays as it is.
 */
export function hostOf(peer: string): string {
  const host = withoutPort(peer);
  return host.startsWith(MAPPED) && host.includes(".") ? host.slice(MAPPED.length) : host;
}

/** How a socket that takes both kinds of address writes an IPv4 one. */
const MAPPED = "::ffff:";

function withoutPort(peer: string): string {
  if (peer.startsWith("[")) {
    const end = peer.indexOf("]");
    return end < 0 ? peer : peer.slice(1, end);
  }
  const colon = peer.lastIndexOf(":");
  const bareIpv6 = colon !== peer.indexOf(":") && !peer.includes(".");
  return colon < 0 || bareIpv6 || !isPort(peer, colon + 1) ? peer : peer.slice(0, colon);
}

function isPort(text: string, from: number): boolean {
  if (from === text.length) return false;
  for (let index = from; index < text.length; index += 1) {
    const digit = text.charCodeAt(index);
    if (digit < 48 || digit > 57) return false;
  }
  return true;
}
