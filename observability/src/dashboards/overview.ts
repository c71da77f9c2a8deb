import { dashboard } from "../parts/dashboard.ts";
import { FAILURE_LIMITS, graph, heatmap, tiles } from "../parts/panel.ts";
import { CALLS, FAILURES, part, quantile, quantiles, rate, sumBy, WORKERS } from "../parts/query.ts";
import { METHOD, NAMESPACE, POD, SERVICE, WORKER } from "../parts/variables.ts";

const SECONDS = "grpc_server_handling_seconds";
const HANDLED = "grpc_server_handled_total";
const FAILED = `${CALLS},grpc_code=~"${FAILURES}"`;
const SLO = 'namespace=~"$namespace",grpc_service=~"$service"';

const failing = (labels: string) => part(labels, HANDLED, FAILED, CALLS);

export const overview = dashboard({
  uid: "overview",
  title: "Overview",
  description:
    "Whether the services are well: rate, errors and time of their calls, and what is left of their error budgets.",
  variables: [NAMESPACE, WORKER, SERVICE, METHOD, POD],
  rows: [
    {
      title: "At a glance",
      panels: [
        tiles({
          title: "Calls",
          description:
            "Calls that ended, per second, by worker. The gateway's own count has what it hands on.",
          unit: "reqps",
          queries: [{ expr: sumBy("worker", rate(HANDLED, CALLS)), legend: "{{worker}}" }],
          width: 8,
        }),
        tiles({
          title: "Calls that fail",
          description: `The share of calls that end with ${FAILURES.replaceAll("|", ", ")}: what a service does to its callers, and not they to it.`,
          unit: "percentunit",
          queries: [{ expr: failing("worker"), legend: "{{worker}}" }],
          limits: FAILURE_LIMITS,
          width: 8,
        }),
        tiles({
          title: "Workers that serve",
          description: "Pods in the state serving. Fewer than there should be: see Runtime.",
          unit: "none",
          queries: [
            {
              expr: sumBy("worker", `gantry_worker_state{${WORKERS},state="serving"}`),
              legend: "{{worker}}",
            },
          ],
          limits: { below: "red", steps: [[1, "green"]] },
          width: 8,
        }),
      ],
    },
    {
      title: "Objectives",
      panels: [
        tiles({
          title: "Error budget left",
          description:
            "Of what each objective allows to go wrong in 30 days, the share that has not been used up. Below 0 the objective is missed.",
          unit: "percentunit",
          queries: [{ expr: `gantry:slo_budget_left:ratio30d{${SLO}}`, legend: "{{grpc_service}} {{slo}}" }],
          limits: {
            below: "red",
            steps: [
              [0, "orange"],
              [0.25, "green"],
            ],
          },
          width: 12,
          empty: "no objectives recorded yet",
        }),
        graph({
          title: "Burn rate",
          description:
            "How fast the error budget goes, over an hour: at 1 it lasts 30 days, at 14.4 two days. Alerts look at it over several windows.",
          unit: "none",
          queries: [{ expr: `gantry:slo_burn:rate1h{${SLO}}`, legend: "{{grpc_service}} {{slo}}" }],
          limits: {
            steps: [
              [1, "orange"],
              [14.4, "red"],
            ],
          },
        }),
      ],
    },
    {
      title: "Calls",
      panels: [
        graph({
          title: "Rate by method",
          description: "Calls that ended, per second.",
          unit: "reqps",
          queries: [
            {
              expr: sumBy("worker, grpc_service, grpc_method", rate(HANDLED, CALLS)),
              legend: "{{grpc_service}}/{{grpc_method}} ({{worker}})",
            },
          ],
        }),
        graph({
          title: "Calls that do not end well, by code",
          description:
            "Every status but OK; empty is well. ResourceExhausted are refusals by quota (see Quotas); InvalidArgument and NotFound are the callers'.",
          unit: "reqps",
          queries: [
            {
              expr: `${sumBy("grpc_code", rate(HANDLED, `${CALLS},grpc_code!="OK"`))} > 0`,
              legend: "{{grpc_code}}",
            },
          ],
          stacked: true,
        }),
        graph({
          title: "Share that fails, by method",
          description: "Of the calls that ended, those that the service failed.",
          unit: "percentunit",
          queries: [
            {
              expr: failing("grpc_service, grpc_method"),
              legend: "{{grpc_service}}/{{grpc_method}}",
            },
          ],
          limits: { steps: [[0.01, "red"]] },
        }),
        graph({
          title: "Latency by method (p99)",
          description: "99 of 100 calls took less. Streams take as long as they are open.",
          unit: "s",
          queries: [
            {
              expr: quantile(0.99, SECONDS, CALLS, "grpc_service, grpc_method"),
              legend: "{{grpc_service}}/{{grpc_method}}",
            },
          ],
        }),
        graph({
          title: "Latency of unary calls",
          description: "From the first byte to the status. A point is one call: it opens its trace.",
          unit: "s",
          queries: quantiles(SECONDS, `${CALLS},grpc_type="unary"`),
        }),
        heatmap({
          title: "Latency of unary calls, all of them",
          description:
            "How many calls took how long. Two bands are two kinds of calls. A point opens the trace of one.",
          unit: "s",
          buckets: {
            expr: sumBy("le", rate(`${SECONDS}_bucket`, `${CALLS},grpc_type="unary"`)),
            legend: "{{le}}",
            exemplars: true,
          },
        }),
      ],
    },
  ],
});
