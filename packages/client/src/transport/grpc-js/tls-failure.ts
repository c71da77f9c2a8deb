/** Why there is no TLS connection, in words: what Node.js and OpenSSL say is for those who know their sources. */
import { X509Certificate } from "node:crypto";
import { UNKNOWN_AUTHORITY_CODES } from "@gantry/rpc";
import type { TlsOptions } from "../../credentials.ts";

const UNKNOWN_AUTHORITY =
  "the server's certificate was not signed by an authority that the client trusts: expected one of `ca`";
const REFUSED = "the server does not accept this client's certificate";

/** By the codes of Node.js and of OpenSSL; an alert is what the server has said. */
const REASONS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(UNKNOWN_AUTHORITY_CODES.map((code) => [code, UNKNOWN_AUTHORITY])),
  CERT_HAS_EXPIRED: "the server's certificate has expired, or one of those behind it",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet, or this computer's clock is wrong",
  INVALID_PURPOSE: "the server's certificate is not one for servers",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    "the server asks for a client certificate: expected `cert` and `key`",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: `${REFUSED}: it does not know the authority that signed it`,
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED": `${REFUSED}: it has expired`,
  "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE": REFUSED,
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN": REFUSED,
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "the server speaks no HTTP/2",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "the server speaks no TLS 1.2 or newer",
  ERR_SSL_WRONG_VERSION_NUMBER: "the server does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the server does not speak TLS",
};
/** Codes of servers that end a connection and do not say why. */
const UNSAID = ["ECONNRESET", "EPIPE", "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE"];

/**
 * A clause that says why there is no connection.
 *
 * @param error undefined: the server closed it without a word
 */
export function tlsFailure(error: Error | undefined, { cert }: TlsOptions): string {
  const code = error && "code" in error ? String(error.code) : "";
  if (!error || UNSAID.includes(code)) return `the server broke off the TLS connection: ${suspicion(cert)}`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" && "reason" in error) {
    return `the server's certificate is for others: ${error.reason}`;
  }
  const reason = REASONS[code];
  return reason ? `${reason} (${code})` : error.message;
}

/**
 * What a server holds against a connection that it breaks off without a word. Servers on Node.js do so where
 * they do not accept a certificate; in TLS 1.2, others too where there is none.
 */
function suspicion(cert: string | Uint8Array | undefined): string {
  if (cert === undefined) return "it may ask for a client certificate, and there is no `cert`";
  const { validTo } = new X509Certificate(Buffer.from(cert));
  if (Date.parse(validTo) < Date.now()) {
    return `it does not accept this client's certificate, which expired on ${new Date(validTo).toISOString()}`;
  }
  return "it may not know the authority that signed this client's certificate";
}
