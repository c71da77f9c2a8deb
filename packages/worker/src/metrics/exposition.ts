import { formatFor } from "./negotiation.ts";
import { writeProcessMetrics } from "./process-metrics.ts";
import { CONTENT_TYPES, MetricsWriter } from "./text-format.ts";
import { type BuildInfo, type WriteWorkerMetrics, workerMetrics } from "./worker-metrics.ts";
import type { WorkerStats } from "./worker-stats.ts";

/** What a scrape is answered with. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** Answers a scrape, in the format that its header `Accept` asks for. */
export type RenderMetrics = (accept: string | undefined) => Promise<Exposition>;

/**
 * Metrics of a worker and of its process. Nothing is done for them before the first scrape.
 *
 * prom-client gives those of the process. It does not write the text: with 200 methods there are
 * 7,000 lines, which it puts together label by label in one go of 10 ms and more, during which no
 * call is answered.
 */
export function createMetrics(stats: WorkerStats, info: BuildInfo): RenderMetrics {
  let write: WriteWorkerMetrics | undefined;
  return async (accept) => {
    const format = formatFor(accept);
    const writer = new MetricsWriter(format);
    write ??= workerMetrics(stats, info);
    write(writer);
    await writeProcessMetrics(writer);
    return { contentType: CONTENT_TYPES[format], body: writer.finish() };
  };
}
