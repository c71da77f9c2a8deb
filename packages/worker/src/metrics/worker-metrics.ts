import { type CalledMethod, calledMethods } from "@gantry/rpc";
import type { Method } from "../method.ts";
import { WORKER_STATES } from "../state.ts";
import { writeAuthMetrics } from "./auth-metrics.ts";
import { type LabelledStats, methodLabels, writeCallMetrics } from "./call-metrics.ts";
import { writeQuotaStoreMetrics } from "./quota-store-metrics.ts";
import { labelText, type MetricsWriter } from "./text-format.ts";
import { writeTlsMetrics } from "./tls-metrics.ts";
import type { WorkerStats } from "./worker-stats.ts";

/** What a worker is, as `gantry_build_info` says it. */
export interface BuildInfo {
  readonly name: string;
  readonly version: string;
}

/** Writes the metrics of one worker. */
export type WriteWorkerMetrics = (writer: MetricsWriter) => void;

/**
 * The metrics of the calls that the worker serves, of those that clients of its process make, and our
 * own. The label sets of what it serves are made here, once; a scrape puts the numbers to them.
 */
export function workerMetrics(stats: WorkerStats, info: BuildInfo): WriteWorkerMetrics {
  const methods = stats.methods.map((method) => ({ method, ...labelled(method) }));
  const buildLabels = labelText({ ...info, node_version: process.version });

  return (writer) => {
    writeCallMetrics(writer, "server", methods);
    writer.family("gauge", IN_FLIGHT, "Number of RPCs that have started on the server and not ended.");
    for (const { labels, stats } of methods) writer.sample(IN_FLIGHT, labels, stats.inFlight);

    writer.family("counter", CALLS, "Total number of RPCs started on the server, by the way they came in.");
    for (const { method, labels } of methods) writeCalls(writer, method, labels);

    const called = calledMethods();
    if (called.length > 0) writeCallMetrics(writer, "client", called.map(labelled));

    if (stats.auth) writeAuthMetrics(writer, stats.auth);

    writer.family(
      "counter",
      QUOTA_DECISIONS,
      "Total number of calls or messages that quotas let pass or refused.",
    );
    for (const [quota, counts] of stats.quotas.entries()) {
      writer.sample(QUOTA_DECISIONS, labelText({ quota, decision: "allowed" }), counts.allowed);
      writer.sample(QUOTA_DECISIONS, labelText({ quota, decision: "refused" }), counts.refused);
    }

    if (stats.quotaStore) writeQuotaStoreMetrics(writer, stats.quotaStore);

    if (stats.discovery) {
      writer.family("gauge", REGISTERED, "1 while the worker is registered in discovery, else 0.");
      writer.sample(REGISTERED, "", stats.discovery.registered ? 1 : 0);
    }

    if (stats.tls) writeTlsMetrics(writer, stats.tls);

    writer.family("counter", SHED, "Total number of calls turned away because too many were in flight.");
    writer.sample(SHED, "", stats.shed);

    writer.family("gauge", STATE, "1 for the state that the worker is in, 0 for the others.");
    for (const state of WORKER_STATES)
      writer.sample(STATE, labelText({ state }), state === stats.state ? 1 : 0);

    writer.family("gauge", BUILD_INFO, "Always 1; the labels say what runs.");
    writer.sample(BUILD_INFO, buildLabels, 1);
  };
}

/** Calls by gRPC always show; other ways by which a method could be called show once it was. */
function writeCalls(writer: MetricsWriter, { stats, callsByProtocol }: Method, labels: string): void {
  let others = 0;
  for (const [protocol, calls] of callsByProtocol) {
    writer.sample(CALLS, `${labels},${labelText({ protocol })}`, calls);
    others += calls;
  }
  writer.sample(CALLS, `${labels},${labelText({ protocol: "grpc" })}`, stats.started - others);
}

const CALLS = "gantry_calls_total";
const IN_FLIGHT = "gantry_calls_in_flight";
const QUOTA_DECISIONS = "gantry_quota_decisions_total";
const REGISTERED = "gantry_discovery_registered";
const SHED = "gantry_calls_shed_total";
const STATE = "gantry_worker_state";
const BUILD_INFO = "gantry_build_info";

function labelled({ desc, stats }: CalledMethod): LabelledStats {
  return { labels: methodLabels(desc), stats };
}
