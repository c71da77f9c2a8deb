import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { type HostAndPort, parseHostAndPort } from "@gantry/rpc";
import type { Settings } from "../settings.ts";

/** Of every address of the machine, which is what a server listens on and nobody calls. */
const EVERY_ADDRESS = ["0.0.0.0", "::"];

/**
 * Where others reach a worker: `ADVERTISE`, or else `HOST`; where that is every address of the machine, the
 * first one that is not its own alone, IPv4 before IPv6.
 */
export function advertisedAddress(
  { host, advertise }: Pick<Settings, "host" | "advertise">,
  port: number,
): HostAndPort {
  if (advertise) return { host: advertise.host, port: advertise.port ?? port };
  return { host: EVERY_ADDRESS.includes(host) ? ownAddress() : host, port };
}

/** Reads `ADVERTISE`: `host`, `host:port`, or an IPv6 address, in brackets where a port follows. */
export function parseAdvertise(text: string): Settings["advertise"] {
  if (isIP(text) === 6) return { host: text, port: undefined };
  const withPort = /:\d+$/.test(text);
  try {
    const { host, port } = parseHostAndPort(text, 1);
    return { host, port: withPort ? port : undefined };
  } catch {
    return undefined;
  }
}

function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  // Of an address that is good on one link only, other machines do not know which link.
  const others = addresses.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const first = others.find(({ family }) => family === "IPv4") ?? others[0];
  return first?.address ?? "127.0.0.1";
}
