import { AUTH_DECISIONS, type AuthStats } from "../auth/auth-stats.ts";
import { CREDENTIALS } from "../auth/credentials.ts";
import { labelText, type MetricsWriter } from "./text-format.ts";

const DECISIONS = "gantry_auth_decisions_total";

/** The metrics of who was let in, where callers are asked who they are. */
export function writeAuthMetrics(writer: MetricsWriter, stats: AuthStats): void {
  writer.family("counter", DECISIONS, "Total number of calls that were let in or not, by what they showed.");
  for (const decision of AUTH_DECISIONS) {
    for (const credential of CREDENTIALS) {
      writer.sample(DECISIONS, labelText({ decision, credential }), stats.of(decision, credential));
    }
  }
}
