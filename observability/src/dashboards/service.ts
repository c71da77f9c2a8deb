import { dashboard } from "../parts/dashboard.ts";
import { graph, heatmap, tiles } from "../parts/panel.ts";
import { CALLS, highest, quantile, quantiles, rate, sumBy } from "../parts/query.ts";
import { METHOD, NAMESPACE, POD, SERVICE, WORKER } from "../parts/variables.ts";

const SECONDS = "grpc_server_handling_seconds";
const HANDLED = "grpc_server_handled_total";
const STREAMS = `${CALLS},grpc_type!="unary"`;
const METHOD_LEGEND = "{{grpc_method}}";

const ended = (code: string) => sumBy("grpc_method", rate(HANDLED, `${CALLS},grpc_code="${code}"`));

export const service = dashboard({
  uid: "service",
  title: "Service",
  description: "One service in depth: its calls, its streams, how they end, and which pods stand out.",
  variables: [NAMESPACE, WORKER, { ...SERVICE, single: true }, METHOD, POD],
  rows: [
    {
      title: "Calls",
      panels: [
        graph({
          title: "Started",
          description: "Calls that came in, per second, by method.",
          unit: "reqps",
          queries: [
            { expr: sumBy("grpc_method", rate("grpc_server_started_total", CALLS)), legend: METHOD_LEGEND },
          ],
        }),
        graph({
          title: "Ended, by code",
          description: "Calls that ended, per second, by status. Codes that no call ended with are left out.",
          unit: "reqps",
          queries: [{ expr: `${sumBy("grpc_code", rate(HANDLED, CALLS))} > 0`, legend: "{{grpc_code}}" }],
          stacked: true,
        }),
        graph({
          title: "In flight",
          description:
            "Calls that have started and not ended. A line that only climbs is a leak, or a handler that hangs.",
          unit: "none",
          queries: [
            { expr: sumBy("grpc_method", `gantry_calls_in_flight{${CALLS}}`), legend: METHOD_LEGEND },
          ],
        }),
        graph({
          title: "By protocol",
          description: "Which way calls come in: gRPC, REST, Connect, gRPC-Web, or from within the process.",
          unit: "reqps",
          queries: [{ expr: sumBy("protocol", rate("gantry_calls_total", CALLS)), legend: "{{protocol}}" }],
          stacked: true,
        }),
      ],
    },
    {
      title: "Time",
      panels: [
        graph({
          title: "Latency",
          description: "Of all methods that are chosen above. A point is one call: it opens its trace.",
          unit: "s",
          queries: quantiles(SECONDS, CALLS),
        }),
        heatmap({
          title: "Latency, all calls",
          description: "How many calls took how long. A point opens the trace of one.",
          unit: "s",
          buckets: { expr: sumBy("le", rate(`${SECONDS}_bucket`, CALLS)), legend: "{{le}}", exemplars: true },
        }),
        graph({
          title: "Latency by method (p50)",
          description: "Half of the calls took less.",
          unit: "s",
          queries: [{ expr: quantile(0.5, SECONDS, CALLS, "grpc_method"), legend: METHOD_LEGEND }],
        }),
        graph({
          title: "Latency by method (p99)",
          description: "99 of 100 calls took less.",
          unit: "s",
          queries: [{ expr: quantile(0.99, SECONDS, CALLS, "grpc_method"), legend: METHOD_LEGEND }],
        }),
      ],
    },
    {
      title: "Streams and messages",
      panels: [
        graph({
          title: "Streams open",
          description: "Streams that have started and not ended.",
          unit: "none",
          queries: [
            { expr: sumBy("grpc_method", `gantry_calls_in_flight{${STREAMS}}`), legend: METHOD_LEGEND },
          ],
        }),
        graph({
          title: "Streams opened",
          description: "Streams that came in, per second.",
          unit: "reqps",
          queries: [
            { expr: sumBy("grpc_method", rate("grpc_server_started_total", STREAMS)), legend: METHOD_LEGEND },
          ],
        }),
        graph({
          title: "Messages received",
          description: "Request messages per second; of a unary call, one.",
          unit: "mps",
          queries: [
            {
              expr: sumBy("grpc_method", rate("grpc_server_msg_received_total", CALLS)),
              legend: METHOD_LEGEND,
            },
          ],
        }),
        graph({
          title: "Messages sent",
          description:
            "Response messages per second. Far fewer than before, at the same rate of calls: readers are slow.",
          unit: "mps",
          queries: [
            { expr: sumBy("grpc_method", rate("grpc_server_msg_sent_total", CALLS)), legend: METHOD_LEGEND },
          ],
        }),
      ],
    },
    {
      title: "Ends that are not well",
      panels: [
        graph({
          title: "Deadlines exceeded",
          description:
            "Calls whose time ran out, per second: the caller's own deadline, or the method's timeout (see /explain).",
          unit: "reqps",
          queries: [{ expr: ended("DeadlineExceeded"), legend: METHOD_LEGEND }],
          width: 8,
        }),
        graph({
          title: "Cancelled",
          description:
            "Calls that their callers gave up, per second. Many at once: callers time out, or hedge.",
          unit: "reqps",
          queries: [{ expr: ended("Canceled"), legend: METHOD_LEGEND }],
          width: 8,
        }),
        graph({
          title: "Refused",
          description: "ResourceExhausted, per second: over quota, or too large. See Quotas.",
          unit: "reqps",
          queries: [{ expr: ended("ResourceExhausted"), legend: METHOD_LEGEND }],
          width: 8,
        }),
      ],
    },
    {
      title: "Pods",
      panels: [
        tiles({
          title: "Pods with calls",
          description: "Pods that have ended a call within the last interval.",
          unit: "none",
          queries: [{ expr: `count(${sumBy("pod", rate(HANDLED, CALLS))} > 0)`, legend: "pods" }],
        }),
        graph({
          title: "Busiest pods",
          description:
            "Calls that ended, per second: the ten pods with most. Lines far apart: the balance is off.",
          unit: "reqps",
          queries: [{ expr: highest(sumBy("pod", rate(HANDLED, CALLS))), legend: "{{pod}}" }],
          width: 10,
        }),
        graph({
          title: "Slowest pods (p99)",
          description:
            "The ten pods whose slowest calls take longest. One alone: look at its event loop in Runtime.",
          unit: "s",
          queries: [{ expr: highest(quantile(0.99, SECONDS, CALLS, "pod")), legend: "{{pod}}" }],
          width: 10,
        }),
      ],
    },
  ],
});
