/**
 * Who calls a worker that stands behind proxies. Each proxy puts at the end of `x-forwarded-for` who called it, and
 * whoever calls the first one may have written anything before that. So the list is read from its end: what a proxy
 * that is trusted says of its caller holds, and what comes before the first address that is not one is hearsay.
 */
import { BlockList, isIP } from "node:net";
import { hostOf } from "./quota/peer.ts";

/** The proxies whose word on their callers is taken. */
export interface TrustedProxies {
  /**
   * The address of who calls; `peer` itself where that is no proxy that is trusted.
   *
   * @param peer the other end of the connection
   * @param forwardedFor reads the header `x-forwarded-for`
   */
  callerOf(peer: string, forwardedFor: () => string | undefined): string;
}

/** Reads `10.0.0.0/8,fd00::/8,192.0.2.7`: addresses, and networks by their prefix. Undefined where it is no such list. */
export function parseTrustedProxies(text: string): TrustedProxies | undefined {
  const trusted = new BlockList();
  for (const entry of text.split(",")) {
    const [address = "", prefix, ...rest] = entry.trim().split("/");
    const family = familyOf(address);
    const most = family === "ipv6" ? 128 : 32;
    const bits = prefix === undefined ? most : Number(prefix);
    const isPrefix = prefix === undefined || (/^\d+$/.test(prefix) && bits <= most);
    if (!family || !isPrefix || rest.length > 0) return undefined;
    trusted.addSubnet(address, bits, family);
  }
  const trusts = (host: string): boolean => {
    const family = familyOf(host);
    return family !== undefined && trusted.check(host, family);
  };
  return {
    callerOf(peer, forwardedFor) {
      if (!trusts(hostOf(peer))) return peer;
      let caller = peer;
      const said = forwardedFor()?.split(",") ?? [];
      for (const entry of said.reverse()) {
        const host = hostOf(entry.trim());
        if (!familyOf(host)) return caller;
        caller = host;
        if (!trusts(host)) return caller;
      }
      return caller;
    },
  };
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 6 ? "ipv6" : "ipv4";
}
