/** Why a TLS connection did not come about: the values of a metric's label. */
export const FAILURE_REASONS = [
  "no_certificate",
  "unknown_authority",
  "expired",
  "bad_certificate",
  "refused_by_client",
  "left",
  "plaintext",
  "protocol",
  "timeout",
  "other",
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];

/** What TLS counts, for metrics. */
export interface TlsStats {
  /** When what is in force ends to be valid, in milliseconds since the epoch. Of several authorities, the first end. */
  readonly expiry: {
    readonly server: number;
    /** Undefined: clients are asked for no certificates. */
    readonly client_ca: number | undefined;
  };
  /** Connections that did not come about. */
  readonly failures: Readonly<Record<FailureReason, number>>;
}
