import { CODE_LABELS, type MethodKind } from "@gantry/rpc";
import type { Method } from "../method.ts";
import { WORKER_STATES } from "../state.ts";
import { LATENCY_BUCKETS, type MethodStats } from "./method-stats.ts";
import { writeQuotaStoreMetrics } from "./quota-store-metrics.ts";
import { boundText, labelText, type MetricsWriter } from "./text-format.ts";
import type { WorkerStats } from "./worker-stats.ts";

/** What a worker is, as `gantry_build_info` says it. */
export interface BuildInfo {
  readonly name: string;
  readonly version: string;
}

/** Writes the metrics of one worker. */
export type WriteWorkerMetrics = (writer: MetricsWriter) => void;

/**
 * The metrics of gRPC calls by the names that the gRPC ecosystem has for them, and our own.
 * The text of every label set is made here, once; a scrape puts the numbers to it.
 *
 * Source: https://github.com/grpc-ecosystem/go-grpc-middleware/tree/main/providers/prometheus
 */
export function workerMetrics(stats: WorkerStats, info: BuildInfo): WriteWorkerMetrics {
  const methods = stats.methods.map((method) => ({ stats: method.stats, labels: methodLabels(method) }));
  const buildLabels = labelText({ ...info, node_version: process.version });

  return (writer) => {
    for (const { type, name, help, read } of METHOD_METRICS) {
      writer.family(type, name, help);
      for (const method of methods) writer.sample(name, method.labels, read(method.stats));
    }

    writer.family(
      "counter",
      HANDLED,
      "Total number of RPCs completed on the server, regardless of success or failure.",
    );
    for (const method of methods) writeHandled(writer, method.labels, method.stats);

    writer.family("histogram", HANDLING, "Time from the start to the end of RPCs on the server, in seconds.");
    for (const method of methods) writeHandling(writer, method.labels, method.stats);

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

    writer.family("counter", SHED, "Total number of calls turned away because too many were in flight.");
    writer.sample(SHED, "", stats.shed);

    writer.family("gauge", STATE, "1 for the state that the worker is in, 0 for the others.");
    for (const state of WORKER_STATES)
      writer.sample(STATE, labelText({ state }), state === stats.state ? 1 : 0);

    writer.family("gauge", BUILD_INFO, "Always 1; the labels say what runs.");
    writer.sample(BUILD_INFO, buildLabels, 1);
  };
}

interface MethodMetric {
  readonly type: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly read: (stats: MethodStats) => number;
}

/** The metrics that have one number per method. */
const METHOD_METRICS: readonly MethodMetric[] = [
  {
    type: "counter",
    name: "grpc_server_started_total",
    help: "Total number of RPCs started on the server.",
    read: ({ started }) => started,
  },
  {
    type: "counter",
    name: "grpc_server_msg_received_total",
    help: "Total number of RPC messages received on the server.",
    read: ({ received }) => received,
  },
  {
    type: "counter",
    name: "grpc_server_msg_sent_total",
    help: "Total number of RPC messages sent by the server.",
    read: ({ sent }) => sent,
  },
  {
    type: "gauge",
    name: "gantry_calls_in_flight",
    help: "Number of RPCs that have started on the server and not ended.",
    read: ({ inFlight }) => inFlight,
  },
];

const HANDLED = "grpc_server_handled_total";
const HANDLING = "grpc_server_handling_seconds";
const QUOTA_DECISIONS = "gantry_quota_decisions_total";
const SHED = "gantry_calls_shed_total";
const STATE = "gantry_worker_state";
const BUILD_INFO = "gantry_build_info";

const CODE_TEXTS = CODE_LABELS.map((code) => `,${labelText({ grpc_code: code })}`);
const BOUND_TEXTS = [...LATENCY_BUCKETS, Number.POSITIVE_INFINITY].map(
  (bound) => `,le="${boundText(bound)}"`,
);

function writeHandled(writer: MetricsWriter, labels: string, { handled }: MethodStats): void {
  for (const [code, text] of CODE_TEXTS.entries()) writer.sample(HANDLED, labels + text, handled[code] ?? 0);
}

function writeHandling(writer: MetricsWriter, labels: string, stats: MethodStats): void {
  let count = 0;
  for (const [bucket, text] of BOUND_TEXTS.entries()) {
    count += stats.buckets[bucket] ?? 0;
    writer.sample(`${HANDLING}_bucket`, labels + text, count, stats.exemplars[bucket]);
  }
  writer.sample(`${HANDLING}_sum`, labels, stats.secondsSum);
  writer.sample(`${HANDLING}_count`, labels, count);
}

function methodLabels({ kind, desc }: Method): string {
  return labelText({
    grpc_type: GRPC_TYPES[kind],
    grpc_service: desc.parent.typeName,
    grpc_method: desc.name,
  });
}

const GRPC_TYPES: Readonly<Record<MethodKind, string>> = {
  unary: "unary",
  client_streaming: "client_stream",
  server_streaming: "server_stream",
  bidi_streaming: "bidi_stream",
};
