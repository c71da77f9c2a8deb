/** Why a TLS handshake came to nothing, in words. */
import type { TLSSocket } from "node:tls";
import { UNKNOWN_AUTHORITY_CODES } from "@gantry/rpc";
import type { FailureReason } from "./tls-stats.ts";

export interface HandshakeFailure {
  readonly reason: FailureReason;
  /** A clause, as for a log: `the client showed no certificate`. */
  readonly text: string;
}

const UNKNOWN_AUTHORITY = failure(
  "unknown_authority",
  "the client's certificate was not signed by an authority of TLS_CLIENT_CA",
);
const EXPIRED = failure("expired", "the client's certificate has expired");
const PLAINTEXT = failure(
  "plaintext",
  "the client sent something else than TLS, such as plaintext, to a TLS port",
);
const OLD_PROTOCOL = failure("protocol", "the client speaks no TLS 1.2 or newer");
const NOT_TRUSTED = failure(
  "refused_by_client",
  "the client does not know the authority of the worker's certificate",
);

/** By OpenSSL's names for what is wrong with a certificate, and Node.js's for what is wrong with a handshake. */
const FAILURES: Readonly<Record<string, HandshakeFailure>> = {
  ...Object.fromEntries(UNKNOWN_AUTHORITY_CODES.map((code) => [code, UNKNOWN_AUTHORITY])),
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: failure("bad_certificate", "the client's certificate is not valid yet"),
  INVALID_PURPOSE: failure("bad_certificate", "the client's certificate is not one for clients"),
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: failure("no_certificate", "the client showed no certificate"),
  ERR_SSL_HTTP_REQUEST: PLAINTEXT,
  ERR_SSL_WRONG_VERSION_NUMBER: PLAINTEXT,
  ERR_SSL_UNEXPECTED_MESSAGE: PLAINTEXT,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: PLAINTEXT,
  ERR_SSL_UNSUPPORTED_PROTOCOL: OLD_PROTOCOL,
  ERR_SSL_NO_SHARED_CIPHER: failure("protocol", "client and worker have no cipher in common"),
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: failure(
    "protocol",
    "the client cannot check the worker's kind of key",
  ),
  ERR_SSL_NO_APPLICATION_PROTOCOL: failure(
    "protocol",
    "the client offered no protocol that the worker speaks: expected h2",
  ),
  ERR_TLS_HANDSHAKE_TIMEOUT: failure("timeout", "the client did not finish the handshake in time"),
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: NOT_TRUSTED,
  "ERR_SSL_SSL/TLS_ALERT_UNKNOWN_CA": NOT_TRUSTED,
  "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE": failure(
    "refused_by_client",
    "the client does not accept the worker's certificate",
  ),
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED": failure(
    "refused_by_client",
    "the worker's certificate has expired, as the client sees it",
  ),
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN": failure(
    "refused_by_client",
    "the client does not accept the worker's certificate",
  ),
  ECONNRESET: failure(
    "left",
    "the client left during the handshake, as it may where it does not accept the worker's certificate",
  ),
};

/** The client left when the handshake was done, without a word: many do whose own check comes after it. */
export const LEFT_UNSAID = failure(
  "left",
  "the client left after the handshake without having sent anything, as it may where it does not accept the worker's certificate",
);
export const NO_PROTOCOL = failure("protocol", "the client named no protocol by ALPN: expected h2");

export function failureOf(error: Error, { authorizationError }: TLSSocket): HandshakeFailure {
  // Typed as an error; it is the code of one.
  const certificate: unknown = authorizationError;
  if (typeof certificate === "string") {
    return (
      FAILURES[certificate] ??
      failure("bad_certificate", `the client's certificate was refused (${certificate})`)
    );
  }
  const code = "code" in error ? String(error.code) : error.message;
  return FAILURES[code] ?? failure("other", `the handshake failed (${code})`);
}

function failure(reason: FailureReason, text: string): HandshakeFailure {
  return { reason, text };
}
