/** What the worker speaks over TLS, by the names that ALPN has for it. */
export type AlpnProtocol = "h2" | "http/1.1";

/**
 * The protocol of a connection over TLS, of those that its client offers. gRPC libraries offer `h2` alone,
 * and get gRPC. Browsers, curl and Go's tools offer both, and nothing else tells what they are about to
 * say: they get `preferred`, by which an operator chooses between the two.
 *
 * Undefined: they have none in common, upon which TLS ends the connection with the alert
 * `no_application_protocol`.
 */
export function chooseProtocol(
  offered: readonly string[],
  preferred: AlpnProtocol = "http/1.1",
): AlpnProtocol | undefined {
  const other = preferred === "h2" ? "http/1.1" : "h2";
  return [preferred, other].find((protocol): protocol is AlpnProtocol => offered.includes(protocol));
}
