import { dashboard } from "../parts/dashboard.ts";
import { graph, tiles } from "../parts/panel.ts";
import { highest, PODS, rate, sumBy, WORKERS } from "../parts/query.ts";
import { NAMESPACE, POD, WORKER } from "../parts/variables.ts";

const POD_LEGEND = "{{pod}}";
/** The highest of all pods of a worker, and the pod in the middle: one line of each, however many there are. */
const spread = (metric: string) => [
  { expr: `max by (worker) (${metric}{${PODS}})`, legend: "{{worker}} highest" },
  { expr: `quantile by (worker) (0.5, ${metric}{${PODS}})`, legend: "{{worker}} median" },
];

export const runtime = dashboard({
  uid: "runtime",
  title: "Runtime",
  description: "The processes: event loop, memory, CPU, and their coming and going.",
  variables: [NAMESPACE, WORKER, POD],
  rows: [
    {
      title: "At a glance",
      panels: [
        tiles({
          title: "Starting, draining, stopped",
          description: "Pods that do not serve, by state. Some while a deployment rolls; else none.",
          unit: "none",
          queries: [
            { expr: sumBy("state", `gantry_worker_state{${PODS},state!="serving"}`), legend: "{{state}}" },
          ],
          limits: { steps: [[1, "orange"]] },
          width: 6,
        }),
        tiles({
          title: "Restarts within an hour",
          description:
            "How often processes started anew under the same name: crashes, kills for memory, failed probes.",
          unit: "none",
          queries: [
            {
              expr: sumBy("worker", `changes(process_start_time_seconds{${PODS}}[1h])`),
              legend: "{{worker}}",
            },
          ],
          limits: {
            steps: [
              [1, "orange"],
              [5, "red"],
            ],
          },
          width: 6,
        }),
        tiles({
          title: "Youngest process",
          description: "How long ago the last process of a worker started.",
          unit: "dtdurations",
          queries: [
            { expr: `min by (worker) (time() - process_start_time_seconds{${PODS}})`, legend: "{{worker}}" },
          ],
          width: 6,
        }),
        tiles({
          title: "Certificate ends in",
          description: "Days until the first certificate ends to be valid. Workers in plaintext have none.",
          unit: "d",
          queries: [
            {
              expr: `min by (worker, certificate) (gantry_tls_certificate_days_left{${PODS}})`,
              legend: "{{worker}} {{certificate}}",
            },
          ],
          limits: {
            below: "red",
            steps: [
              [3, "orange"],
              [14, "green"],
            ],
          },
          width: 6,
          empty: "no TLS",
        }),
      ],
    },
    {
      title: "Event loop and CPU",
      panels: [
        graph({
          title: "Event-loop lag (p99)",
          description: "How late the loop comes to what is due. Above 100 ms calls wait for each other.",
          unit: "s",
          queries: spread("nodejs_eventloop_lag_p99_seconds"),
          limits: { steps: [[0.1, "red"]] },
        }),
        graph({
          title: "Event-loop lag, ten worst pods",
          description: "As it was at the scrape.",
          unit: "s",
          queries: [{ expr: highest(`nodejs_eventloop_lag_seconds{${PODS}}`), legend: POD_LEGEND }],
        }),
        graph({
          title: "CPU, ten busiest pods",
          description:
            "Cores in use. A worker's calls run on one core: at 1 it is at its end, whatever the limit is.",
          unit: "none",
          queries: [{ expr: highest(rate("process_cpu_seconds_total", PODS)), legend: POD_LEGEND }],
          limits: { steps: [[1, "red"]] },
        }),
        graph({
          title: "CPU against its limit",
          description:
            "The share of the limit that Kubernetes sets (kube-state-metrics tells it). At 1 the process is throttled.",
          unit: "percentunit",
          queries: [
            {
              expr: highest(
                `${sumBy("namespace, pod", rate("process_cpu_seconds_total", PODS))} / ${sumBy("namespace, pod", 'kube_pod_container_resource_limits{namespace=~"$namespace",pod=~"$pod",resource="cpu"}')}`,
              ),
              legend: POD_LEGEND,
            },
          ],
          limits: {
            steps: [
              [0.8, "orange"],
              [1, "red"],
            ],
          },
          empty: "no limits known",
        }),
      ],
    },
    {
      title: "Memory",
      panels: [
        graph({
          title: "Heap in use",
          description: "What JavaScript holds. A median that climbs for hours is a leak.",
          unit: "bytes",
          queries: spread("nodejs_heap_size_used_bytes"),
        }),
        graph({
          title: "Resident memory, ten largest pods",
          description: "What the system has given to the process, and counts against its limit.",
          unit: "bytes",
          queries: [{ expr: highest(`process_resident_memory_bytes{${PODS}}`), legend: POD_LEGEND }],
        }),
        graph({
          title: "Time in garbage collection",
          description: "Seconds per second, all pods of a worker on average. Above 5 % memory is short.",
          unit: "percentunit",
          queries: [
            {
              expr: `sum by (worker, kind) (${rate("nodejs_gc_duration_seconds_sum", PODS)}) / on (worker) group_left () count by (worker) (process_start_time_seconds{${PODS}})`,
              legend: "{{worker}} {{kind}}",
            },
          ],
          limits: { steps: [[0.05, "red"]] },
        }),
        graph({
          title: "Longest collections (p99)",
          description: "A collection holds every call of the process.",
          unit: "s",
          queries: [
            {
              expr: `histogram_quantile(0.99, ${sumBy("le, worker, kind", rate("nodejs_gc_duration_seconds_bucket", PODS))})`,
              legend: "{{worker}} {{kind}}",
            },
          ],
        }),
      ],
    },
    {
      title: "Coming and going",
      panels: [
        graph({
          title: "States",
          description: "How many pods are in each state.",
          unit: "none",
          queries: [
            {
              expr: `${sumBy("worker, state", `gantry_worker_state{${PODS}}`)} > 0`,
              legend: "{{worker}} {{state}}",
            },
          ],
          stacked: true,
        }),
        graph({
          title: "Versions",
          description: "How many pods run which version. Two at a time only while a deployment rolls.",
          unit: "none",
          queries: [
            {
              expr: `count by (worker, version, node_version) (gantry_build_info{${WORKERS}})`,
              legend: "{{worker}} {{version}}, Node.js {{node_version}}",
            },
          ],
          stacked: true,
        }),
        graph({
          title: "Calls turned away",
          description:
            "Per second: more were in flight than MAX_CALLS_IN_FLIGHT. More pods, or a slow dependency.",
          unit: "reqps",
          queries: [{ expr: sumBy("worker", rate("gantry_calls_shed_total", PODS)), legend: "{{worker}}" }],
        }),
        graph({
          title: "Registered in discovery",
          description: "The share of pods that etcd says are alive. Empty where DISCOVERY is not set.",
          unit: "percentunit",
          queries: [{ expr: `avg by (worker) (gantry_discovery_registered{${PODS}})`, legend: "{{worker}}" }],
          max: 1,
        }),
      ],
    },
    {
      title: "Doors",
      panels: [
        graph({
          title: "Callers let in and not",
          description: "Decisions per second, by what the caller showed. Empty where AUTH_FILE is not set.",
          unit: "ops",
          queries: [
            {
              expr: `${sumBy("worker, decision, credential", rate("gantry_auth_decisions_total", PODS))} > 0`,
              legend: "{{worker}} {{decision}} {{credential}}",
            },
          ],
          stacked: true,
          width: 8,
        }),
        graph({
          title: "TLS connections that failed",
          description: "Per second, by reason; the worker's log says more.",
          unit: "ops",
          queries: [
            {
              expr: sumBy("worker, reason", rate("gantry_tls_handshake_failures_total", PODS)),
              legend: "{{worker}} {{reason}}",
            },
          ],
          width: 8,
        }),
        graph({
          title: "Open files, of what is allowed",
          description: "Sockets are files. At 1 no connection is accepted.",
          unit: "percentunit",
          queries: [
            { expr: highest(`process_open_fds{${PODS}} / process_max_fds{${PODS}}`), legend: POD_LEGEND },
          ],
          limits: { steps: [[0.8, "red"]] },
          width: 8,
        }),
      ],
    },
  ],
});
