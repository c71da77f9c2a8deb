/**
 * How workers stand in etcd: `<prefix>/<name>/<host:port>` with the value `{"Op":0,"Addr":"<host:port>",…}`.
 *
 * Source: https://pkg.go.dev/go.etcd.io/etcd/client/v3/naming/endpoints, which Go's services and clients use.
 */
import { formatHostAndPort, type HostAndPort, parseHostAndPort } from "@gantry/rpc";

/** Every key that begins with `<prefix>/<name>/`, as etcd's ranges have it: from it to what comes after the slash. */
export function rangeOf(prefix: string, name: string): { key: Uint8Array; rangeEnd: Uint8Array } {
  return { key: bytesOf(`${prefix}/${name}/`), rangeEnd: bytesOf(`${prefix}/${name}0`) };
}

export function entryOf(prefix: string, name: string, address: HostAndPort) {
  const text = formatHostAndPort(address);
  const value = JSON.stringify({ Op: 0, Addr: text, Metadata: null });
  return { key: bytesOf(`${prefix}/${name}/${text}`), value: bytesOf(value) };
}

/** Undefined where a value is not that of an instance: anybody may have written it. */
export function addressIn(value: Uint8Array): HostAndPort | undefined {
  try {
    const parsed: unknown = JSON.parse(textOf(value));
    if (typeof parsed !== "object" || parsed === null || !("Addr" in parsed)) return undefined;
    return typeof parsed.Addr === "string" ? parseHostAndPort(parsed.Addr) : undefined;
  } catch {
    return undefined;
  }
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
