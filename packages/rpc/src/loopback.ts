import { BlockList, isIP } from "node:net";

/**
 * Whether what goes to this host stays on it: an address, or a name by its letters alone, as what a resolver
 * may say of another name is no promise. RFC 6761, section 6.3.
 */
export function isLoopback(host: string): boolean {
  if (isIP(host) !== 0) return LOOPBACK.check(host, isIP(host) === 6 ? "ipv6" : "ipv4");
  return /^(.*\.)?localhost\.?$/i.test(host);
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");
