import type { DescMethod } from "@bufbuild/protobuf";
import { CODE_LABELS, LATENCY_BUCKETS, type MethodStats } from "@gantry/rpc";
import { boundText, labelText, type MetricsWriter } from "./text-format.ts";

/** The counts of one method, beside its labels as `methodLabels` gives them. */
export interface LabelledStats {
  readonly labels: string;
  readonly stats: MethodStats;
}

/**
 * Writes the metrics of calls by the names that the gRPC ecosystem has for them, `grpc_server_*` or
 * `grpc_client_*`.
 *
 * Source: https://github.com/grpc-ecosystem/go-grpc-middleware/tree/main/providers/prometheus
 */
export function writeCallMetrics(
  writer: MetricsWriter,
  side: "server" | "client",
  methods: readonly LabelledStats[],
): void {
  for (const { name, help, read } of COUNTERS[side]) {
    writer.family("counter", name, help);
    for (const { labels, stats } of methods) writer.sample(name, labels, read(stats));
  }
  const handled = `grpc_${side}_handled_total`;
  writer.family(
    "counter",
    handled,
    `Total number of RPCs completed on the ${side}, regardless of success or failure.`,
  );
  for (const { labels, stats } of methods) {
    for (const [code, text] of CODE_TEXTS.entries()) {
      writer.sample(handled, labels + text, stats.handled[code] ?? 0);
    }
  }
  const handling = `grpc_${side}_handling_seconds`;
  writer.family("histogram", handling, `Time from the start to the end of RPCs on the ${side}, in seconds.`);
  for (const method of methods) writeHandling(writer, handling, method);
}

/** `grpc_type="unary",grpc_service="greeter.v1.Greeter",grpc_method="SayHello"` */
export function methodLabels({ methodKind, parent, name }: DescMethod): string {
  return labelText({ grpc_type: GRPC_TYPES[methodKind], grpc_service: parent.typeName, grpc_method: name });
}

const COUNTERS = { server: counters("server"), client: counters("client") };

/** The metrics that have one number per method. */
function counters(side: "server" | "client") {
  return [
    {
      name: `grpc_${side}_started_total`,
      help: `Total number of RPCs started on the ${side}.`,
      read: ({ started }: MethodStats) => started,
    },
    {
      name: `grpc_${side}_msg_received_total`,
      help: `Total number of RPC messages received on the ${side}.`,
      read: ({ received }: MethodStats) => received,
    },
    {
      name: `grpc_${side}_msg_sent_total`,
      help: `Total number of RPC messages sent by the ${side}.`,
      read: ({ sent }: MethodStats) => sent,
    },
  ];
}

const CODE_TEXTS = CODE_LABELS.map((code) => `,${labelText({ grpc_code: code })}`);
const BOUND_TEXTS = [...LATENCY_BUCKETS, Number.POSITIVE_INFINITY].map(
  (bound) => `,le="${boundText(bound)}"`,
);

function writeHandling(writer: MetricsWriter, name: string, { labels, stats }: LabelledStats): void {
  let count = 0;
  for (const [bucket, text] of BOUND_TEXTS.entries()) {
    count += stats.buckets[bucket] ?? 0;
    writer.sample(`${name}_bucket`, labels + text, count, stats.exemplars[bucket]);
  }
  writer.sample(`${name}_sum`, labels, stats.secondsSum);
  writer.sample(`${name}_count`, labels, count);
}

const GRPC_TYPES = {
  unary: "unary",
  client_streaming: "client_stream",
  server_streaming: "server_stream",
  bidi_streaming: "bidi_stream",
} as const;
