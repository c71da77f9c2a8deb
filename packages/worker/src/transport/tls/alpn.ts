/** What the worker speaks over TLS, by the names that ALPN has for it. */
export type AlpnProtocol = "h2" | "http/1.1";

/**
 * The protocol of a connection over TLS, of those that its client offers. gRPC libraries offer `h2` alone, and
 * get gRPC. Browsers, curl and Go's tools offer both, and nothing else tells what they are about to say: they
 * get the first of `spoken`.
 *
 * Undefined: they have none in common, upon which TLS ends the connection with the alert
 * `no_application_protocol`.
 *
 * @param spoken what the worker speaks, what it would rather speak first
 */
export function chooseProtocol(
  offered: readonly string[],
  spoken: readonly AlpnProtocol[],
): AlpnProtocol | undefined {
  return spoken.find((protocol) => offered.includes(protocol));
}
