import type { TlsStats } from "../transport/tls/tls-stats.ts";
import { labelText, type MetricsWriter } from "./text-format.ts";

const DAYS_LEFT = "gantry_tls_certificate_days_left";
const FAILURES = "gantry_tls_handshake_failures_total";
const DAY_MS = 86_400_000;

/** The metrics of a worker that speaks TLS. */
export function writeTlsMetrics(writer: MetricsWriter, stats: TlsStats): void {
  writer.family("gauge", DAYS_LEFT, "Days until the certificate ends to be valid, negative once it has.");
  const now = Date.now();
  for (const [certificate, validTo] of Object.entries(stats.expiry)) {
    if (validTo !== undefined) {
      writer.sample(DAYS_LEFT, labelText({ certificate }), (validTo - now) / DAY_MS);
    }
  }

  writer.family("counter", FAILURES, "Total number of TLS connections that did not come about.");
  for (const [reason, count] of Object.entries(stats.failures)) {
    writer.sample(FAILURES, labelText({ reason }), count);
  }
}
