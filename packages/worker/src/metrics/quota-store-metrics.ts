import { type QuotaStoreStats, ROUND_TRIP_BUCKETS } from "../quota/store-stats.ts";
import { boundText, labelText, type MetricsWriter } from "./text-format.ts";

const SECONDS = "gantry_quota_store_seconds";
const FALLBACKS = "gantry_quota_store_fallbacks_total";
const UP = "gantry_quota_store_up";

const BOUND_TEXTS = [...ROUND_TRIP_BUCKETS, Number.POSITIVE_INFINITY].map(
  (bound) => `le="${boundText(bound)}"`,
);

/** The metrics of a quota store that replicas share. */
export function writeQuotaStoreMetrics(writer: MetricsWriter, stats: QuotaStoreStats): void {
  writer.family("histogram", SECONDS, "Time that the quota store took to decide, in seconds.");
  let count = 0;
  for (const [bucket, labels] of BOUND_TEXTS.entries()) {
    count += stats.buckets[bucket] ?? 0;
    writer.sample(`${SECONDS}_bucket`, labels, count);
  }
  writer.sample(`${SECONDS}_sum`, "", stats.secondsSum);
  writer.sample(`${SECONDS}_count`, "", count);

  writer.family(
    "counter",
    FALLBACKS,
    "Total number of decisions that were made without the quota store, because it was late or failed.",
  );
  for (const [reason, decisions] of Object.entries(stats.fallbacks)) {
    writer.sample(FALLBACKS, labelText({ reason }), decisions);
  }

  writer.family("gauge", UP, "1 while the quota store answers in time, else 0.");
  writer.sample(UP, "", stats.up ? 1 : 0);
}
