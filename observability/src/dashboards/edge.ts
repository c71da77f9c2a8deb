import type { DescMethod } from "@bufbuild/protobuf";
import { dashboard, type Variable } from "../parts/dashboard.ts";
import { graph, heatmap, tiles } from "../parts/panel.ts";
import { quantile, rate, sumBy } from "../parts/query.ts";
import { SERVICES } from "../slos.ts";

/** What comes from outside; the admin and health listeners count under other prefixes. */
const EDGE = 'namespace=~"$namespace",pod=~"$pod",envoy_http_conn_manager_prefix="edge"';
const CLUSTERS = 'namespace=~"$namespace",pod=~"$pod",envoy_cluster_name=~"$cluster"';
const CLUSTER_LEGEND = "{{envoy_cluster_name}}";

const byCluster = (metric: string) => sumBy("envoy_cluster_name", rate(metric, CLUSTERS));

const VARIABLES: readonly Variable[] = [
  {
    name: "namespace",
    label: "Namespace",
    description: "Where Envoy runs.",
    query: "label_values(envoy_cluster_membership_total, namespace)",
  },
  {
    name: "pod",
    label: "Pod",
    description: "Single Envoys.",
    query: 'label_values(envoy_cluster_membership_total{namespace=~"$namespace"}, pod)',
  },
  {
    name: "cluster",
    label: "Upstream",
    description: "The workers that Envoy calls, by the name of their cluster in its configuration.",
    query: 'label_values(envoy_cluster_membership_total{namespace=~"$namespace"}, envoy_cluster_name)',
  },
];

export const edge = dashboard({
  uid: "edge",
  title: "Edge (Envoy)",
  description: "What comes in from outside, and what Envoy does to get it answered.",
  variables: VARIABLES,
  rows: [
    {
      title: "From outside",
      panels: [
        graph({
          title: "Requests",
          description:
            "Requests that came in, per second. None at all, with callers there: the alert GantryNoTraffic.",
          unit: "reqps",
          queries: [{ expr: sumBy("pod", rate("envoy_http_downstream_rq_total", EDGE)), legend: "{{pod}}" }],
        }),
        graph({
          title: "Answers by HTTP status",
          description: "Per second, by class. gRPC's own errors travel under 200: see the dashboard Service.",
          unit: "reqps",
          queries: [
            {
              expr: sumBy("envoy_response_code_class", rate("envoy_http_downstream_rq_xx", EDGE)),
              legend: "{{envoy_response_code_class}}xx",
            },
          ],
          stacked: true,
        }),
        graph({
          title: "Latency, as callers see it",
          description: "From a request's first byte to the last of its answer, retries included.",
          unit: "ms",
          queries: [0.5, 0.95, 0.99].map((q) => ({
            expr: quantile(q, "envoy_http_downstream_rq_time", EDGE),
            legend: `p${q * 100}`,
          })),
        }),
        heatmap({
          title: "Latency, all requests",
          description: "How many requests took how long.",
          unit: "ms",
          buckets: {
            expr: sumBy("le", rate("envoy_http_downstream_rq_time_bucket", EDGE)),
            legend: "{{le}}",
          },
        }),
        graph({
          title: "Connections",
          description: "Connections from outside that are open.",
          unit: "none",
          queries: [{ expr: sumBy("pod", `envoy_http_downstream_cx_active{${EDGE}}`), legend: "{{pod}}" }],
        }),
        graph({
          title: "Requests in flight",
          description: "Requests that have come and are not answered.",
          unit: "none",
          queries: [{ expr: sumBy("pod", `envoy_http_downstream_rq_active{${EDGE}}`), legend: "{{pod}}" }],
        }),
      ],
    },
    {
      title: "Health of the workers",
      panels: [
        tiles({
          title: "Workers that are well",
          description:
            "Of the workers that Envoy knows, the share that says SERVING and is not ejected. At 0 calls fail at once.",
          unit: "percentunit",
          queries: [
            {
              expr: `${sumBy("envoy_cluster_name", `envoy_cluster_membership_healthy{${CLUSTERS}}`)} / ${sumBy("envoy_cluster_name", `envoy_cluster_membership_total{${CLUSTERS}}`)}`,
              legend: CLUSTER_LEGEND,
            },
          ],
          limits: {
            below: "red",
            steps: [
              [0.5, "orange"],
              [1, "green"],
            ],
          },
          width: 8,
        }),
        tiles({
          title: "Workers known",
          description: "Addresses that the workers' name has, as one Envoy sees it.",
          unit: "none",
          queries: [
            {
              expr: `max by (envoy_cluster_name) (envoy_cluster_membership_total{${CLUSTERS}})`,
              legend: CLUSTER_LEGEND,
            },
          ],
          limits: { below: "red", steps: [[1, "green"]] },
          width: 8,
        }),
        tiles({
          title: "Ejected now",
          description: "Workers that get no calls because their connections or answers failed.",
          unit: "none",
          queries: [
            {
              expr: sumBy(
                "envoy_cluster_name",
                `envoy_cluster_outlier_detection_ejections_active{${CLUSTERS}}`,
              ),
              legend: CLUSTER_LEGEND,
            },
          ],
          limits: { steps: [[1, "orange"]] },
          width: 8,
        }),
        graph({
          title: "Health checks that fail",
          description: "Per second. Some while workers drain; more is a worker that does not answer.",
          unit: "ops",
          queries: [{ expr: byCluster("envoy_cluster_health_check_failure"), legend: CLUSTER_LEGEND }],
        }),
        graph({
          title: "Ejections",
          description: "Per second, for whichever reason.",
          unit: "ops",
          queries: [
            {
              expr: byCluster("envoy_cluster_outlier_detection_ejections_enforced_total"),
              legend: CLUSTER_LEGEND,
            },
          ],
        }),
      ],
    },
    {
      title: "To the workers",
      panels: [
        graph({
          title: "Calls to workers",
          description: "Per second, retries included.",
          unit: "reqps",
          queries: [{ expr: byCluster("envoy_cluster_upstream_rq_total"), legend: CLUSTER_LEGEND }],
          width: 8,
        }),
        graph({
          title: "Retries",
          description:
            "Calls made a second time, per second; those of them that went well; those that the retry budget forbade.",
          unit: "reqps",
          queries: [
            { expr: byCluster("envoy_cluster_upstream_rq_retry"), legend: `${CLUSTER_LEGEND} made` },
            {
              expr: byCluster("envoy_cluster_upstream_rq_retry_success"),
              legend: `${CLUSTER_LEGEND} went well`,
            },
            {
              expr: byCluster("envoy_cluster_upstream_rq_retry_overflow"),
              legend: `${CLUSTER_LEGEND} forbidden`,
            },
          ],
          width: 8,
        }),
        graph({
          title: "Connections that fail",
          description: "Connections to workers that did not come about, per second.",
          unit: "ops",
          queries: [{ expr: byCluster("envoy_cluster_upstream_cx_connect_fail"), legend: CLUSTER_LEGEND }],
          width: 8,
        }),
        graph({
          title: "Circuit breakers: room left",
          description:
            "How many more calls a worker's cluster takes at once, by the Envoy with the least. At 0 calls are turned away.",
          unit: "none",
          queries: [
            {
              expr: `min by (envoy_cluster_name) (envoy_cluster_circuit_breakers_default_remaining_rq{${CLUSTERS}})`,
              legend: `${CLUSTER_LEGEND} calls`,
            },
            {
              expr: `min by (envoy_cluster_name) (envoy_cluster_circuit_breakers_default_remaining_cx{${CLUSTERS}})`,
              legend: `${CLUSTER_LEGEND} connections`,
            },
          ],
        }),
        graph({
          title: "Circuit breakers: turned away",
          description:
            "Calls per second that no more were let through of, and the number of Envoys whose breaker is open.",
          unit: "none",
          queries: [
            {
              expr: byCluster("envoy_cluster_upstream_rq_pending_overflow"),
              legend: `${CLUSTER_LEGEND} turned away`,
            },
            {
              expr: sumBy(
                "envoy_cluster_name",
                `envoy_cluster_circuit_breakers_default_rq_open{${CLUSTERS}}`,
              ),
              legend: `${CLUSTER_LEGEND} open`,
            },
          ],
        }),
      ],
    },
    { title: "By route", panels: SERVICES.map(({ typeName, methods }) => routes(typeName, methods)) },
  ],
});

/**
 * Envoy takes the dots of a service's name for its own: greeter.v1.Greeter/SayHello is counted by the metric
 * `envoy_cluster_grpc_Greeter_SayHello_…`. So each method has a query of its own.
 */
function routes(service: string, methods: readonly DescMethod[]) {
  const name = service.slice(service.lastIndexOf(".") + 1);
  return graph({
    title: `${service}: latency by route (p99)`,
    description: "From the call to the end of the worker's answer. Routes appear with their first call.",
    unit: "ms",
    queries: methods.map((method) => ({
      expr: quantile(0.99, `envoy_cluster_grpc_${name}_${method.name}_upstream_rq_time`, CLUSTERS),
      legend: method.name,
    })),
  });
}
