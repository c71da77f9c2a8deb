import { dashboard } from "../parts/dashboard.ts";
import { FAILURE_LIMITS, graph, tiles } from "../parts/panel.ts";
import { rate, sumBy } from "../parts/query.ts";
import { readObjectives } from "../slos.ts";

const RUN = 'testid=~"$testid"';
const SCENARIOS = `${RUN},scenario=~"$scenario"`;
/** The strictest bound of all services: above it, some objective is in danger. */
const BOUND_SECONDS = Math.min(...readObjectives().map(({ latency }) => latency.ms)) / 1_000;
const METHOD_LEGEND = "{{service}}/{{method}}";

/** k6 works quantiles and shares out by itself, for each set of labels: the highest of them is shown. */
const highestOf = (labels: string, metric: string) => `max by (${labels}) (${metric}{${SCENARIOS}})`;

const perSecond = (labels: string, metric: string, legend: string) => ({
  expr: sumBy(labels, rate(metric, SCENARIOS)),
  legend,
});

export const loadTest = dashboard({
  uid: "load-test",
  title: "Load test (k6)",
  description: "A run of loadtest/, as k6 sees it. The other dashboards show the workers at the same time.",
  variables: [
    {
      name: "testid",
      label: "Run",
      description: "The scenario and when it began, or what TEST_ID said.",
      query: "label_values(k6_vus, testid)",
    },
    {
      name: "scenario",
      label: "Scenario",
      description: "Scenarios of that run.",
      query: 'label_values(k6_iterations_total{testid=~"$testid"}, scenario)',
    },
  ],
  rows: [
    {
      title: "The run",
      panels: [
        tiles({
          title: "Virtual users",
          description:
            "Each has a connection of its own. As many as there may be, and dropped iterations: k6 is short, not the workers.",
          unit: "none",
          queries: [
            { expr: `sum(k6_vus{${RUN}})`, legend: "running" },
            { expr: `sum(k6_vus_max{${RUN}})`, legend: "at most" },
          ],
          width: 8,
        }),
        tiles({
          title: "Calls that are not answered as expected",
          description: "The worst method of each scenario. Refusals by a quota count apart.",
          unit: "percentunit",
          queries: [{ expr: highestOf("scenario", "k6_grpc_req_failed_rate"), legend: "{{scenario}}" }],
          limits: FAILURE_LIMITS,
          width: 8,
        }),
        tiles({
          title: "Dropped iterations",
          description:
            "Iterations per second that k6 could not start: its numbers are of less load than was asked for.",
          unit: "ops",
          queries: [perSecond("scenario", "k6_dropped_iterations_total", "{{scenario}}")],
          limits: { steps: [[0.001, "red"]] },
          width: 8,
          empty: "none",
        }),
        graph({
          title: "Calls by method",
          description: "Calls that ended, per second, as k6 counts them.",
          unit: "reqps",
          queries: [perSecond("service, method", "k6_grpc_reqs_total", METHOD_LEGEND)],
        }),
        graph({
          title: "Calls by status",
          description: "Per second, by gRPC's number: 0 is OK, 8 a refusal, 14 nobody there, 4 out of time.",
          unit: "reqps",
          queries: [perSecond("status", "k6_grpc_reqs_total", "status {{status}}")],
          stacked: true,
        }),
        graph({
          title: "Share that failed, by method",
          description: "Of the calls that ended, those that were not answered as expected.",
          unit: "percentunit",
          queries: [{ expr: highestOf("service, method", "k6_grpc_req_failed_rate"), legend: METHOD_LEGEND }],
          limits: { steps: [[0.001, "red"]] },
        }),
        graph({
          title: "Refused by quotas",
          description:
            "Per second. In other scenarios than quota they fail the run: it says nothing of the worker then.",
          unit: "reqps",
          queries: [perSecond("service, method", "k6_quota_refused_total", METHOD_LEGEND)],
        }),
      ],
    },
    {
      title: "Time",
      panels: [
        ...(["p50", "p95", "p99"] as const).map((q) =>
          graph({
            title: `Latency by method (${q})`,
            description:
              "As the caller sees it. The line is the strictest bound of slos.json, which is of unary calls.",
            unit: "s",
            queries: [
              { expr: highestOf("service, method", `k6_grpc_req_duration_${q}`), legend: METHOD_LEGEND },
            ],
            limits: { steps: [[BOUND_SECONDS, "red"]] },
            width: 8,
          }),
        ),
        graph({
          title: "Latency by status (p99)",
          description: "Refusals (8) ought to be quick: a slow one costs as much as a call.",
          unit: "s",
          queries: [{ expr: highestOf("status", "k6_grpc_req_duration_p99"), legend: "status {{status}}" }],
          width: 8,
        }),
        graph({
          title: "Latency by kind (p99)",
          description: "Unary calls and streams apart: streams take as long as they are open.",
          unit: "s",
          queries: [{ expr: highestOf("kind", "k6_grpc_req_duration_p99"), legend: "{{kind}}" }],
          width: 8,
        }),
        graph({
          title: "Cold start (longest)",
          description:
            "In the scenario cold: from the first attempt until a worker that was not there has answered.",
          unit: "s",
          queries: [{ expr: highestOf("service", "k6_cold_start_duration_max"), legend: "{{service}}" }],
          width: 8,
        }),
      ],
    },
    {
      title: "Streams, connections and the wire",
      panels: [
        graph({
          title: "Streams that are kept open",
          description:
            "In the scenario streams: those that had their first answer, and those that have ended as they should.",
          unit: "none",
          queries: [
            { expr: `sum(k6_streams_opened_total{${SCENARIOS}})`, legend: "opened" },
            { expr: `sum(k6_streams_ended_total{${SCENARIOS}})`, legend: "ended well" },
          ],
          width: 8,
        }),
        graph({
          title: "Calls that moved",
          description: "Per second: they found nobody at an address, and went to the next one.",
          unit: "reqps",
          queries: [perSecond("service, method", "k6_grpc_req_moved_total", METHOD_LEGEND)],
          width: 8,
        }),
        graph({
          title: "Bytes",
          description: "Per second, as k6 sees them.",
          unit: "Bps",
          queries: [
            { expr: `sum(${rate("k6_data_sent_total", SCENARIOS)})`, legend: "sent" },
            { expr: `sum(${rate("k6_data_received_total", SCENARIOS)})`, legend: "received" },
          ],
          width: 8,
        }),
      ],
    },
  ],
});
