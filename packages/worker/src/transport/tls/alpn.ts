/** The protocol to speak on a connection, of those that its client has offered by ALPN; undefined: none of them. */
export function chooseProtocol(offered: readonly string[]): string | undefined {
  return offered.includes("h2") ? "h2" : undefined;
}
