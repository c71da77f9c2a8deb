/** What somebody is told of. Each has a page in docs/runbooks that says what to look at and what to do. */
import type { AlertingRule, RuleGroup, Severity } from "./rule.ts";

/** Where the pages are, for those who read an alert elsewhere. Relative to the repository's own. */
const RUNBOOKS = "docs/runbooks";

interface Alert {
  readonly name: string;
  readonly severity: Severity;
  readonly expr: string;
  readonly for?: string;
  readonly summary: string;
}

/**
 * Multi-window, multi-burn-rate: a long window says that it matters, a short one that it goes on.
 * Source: https://sre.google/workbook/alerting-on-slos/ (2 % of the budget in an hour, 5 % in six, 10 % in three days)
 */
const BURNS = [
  {
    severity: "critical",
    windows: [
      ["1h", "5m", 14.4],
      ["6h", "30m", 6],
    ],
  },
  {
    severity: "warning",
    windows: [
      ["1d", "2h", 3],
      ["3d", "6h", 1],
    ],
  },
] as const;

const burns: Alert[] = BURNS.flatMap(({ severity, windows }) =>
  (
    [
      ["GantryErrorBudgetBurn", "availability", "too many calls fail"],
      ["GantryLatencyBudgetBurn", "latency", "too many calls take too long"],
    ] as const
  ).map(([name, slo, what]) => ({
    name,
    severity,
    expr: windows
      .map(
        ([long, short, factor]) =>
          `(gantry:slo_burn:rate${long}{slo="${slo}"} > ${factor} and gantry:slo_burn:rate${short}{slo="${slo}"} > ${factor})`,
      )
      .join(" or "),
    summary: `{{ $labels.grpc_service }}: ${what}. Its error budget goes {{ $value | humanize }} times as fast as it may.`,
  })),
);

const symptoms: Alert[] = [
  {
    name: "GantryQuotaStoreAway",
    severity: "warning",
    expr: "count by (namespace, worker) (gantry_quota_store_up == 0)",
    for: "2m",
    summary:
      "{{ $value }} pods of {{ $labels.worker }} decide quotas without their store: it does not answer in time.",
  },
  {
    name: "GantryWorkerStuckDraining",
    severity: "warning",
    expr: 'gantry_worker_state{state="draining"} == 1',
    for: "2m",
    summary: "{{ $labels.pod }} has been draining for more than two minutes.",
  },
  {
    name: "GantryWorkerRestarts",
    severity: "warning",
    expr: "changes(process_start_time_seconds[15m]) * on (namespace, pod) group_left () max by (namespace, pod) (gantry_build_info) >= 3",
    summary: "{{ $labels.pod }} has started {{ $value }} times within 15 minutes.",
  },
  ...(
    [
      ["warning", 14],
      ["critical", 3],
    ] as const
  ).map(([severity, days]) => ({
    name: "GantryCertificateEnds",
    severity,
    expr: `min by (namespace, worker, certificate) (gantry_tls_certificate_days_left) < ${days}`,
    for: "10m",
    summary:
      "A certificate ({{ $labels.certificate }}) of {{ $labels.worker }} ends in {{ $value | humanize }} days.",
  })),
  {
    name: "GantryShedding",
    severity: "warning",
    expr: "sum by (namespace, worker) (rate(gantry_calls_shed_total[5m])) > 0",
    for: "5m",
    summary:
      "{{ $labels.worker }} turns away {{ $value | humanize }} calls a second: more are in flight than MAX_CALLS_IN_FLIGHT.",
  },
  {
    name: "GantryNoTraffic",
    severity: "critical",
    expr: `sum by (namespace) (rate(envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="edge"}[10m])) == 0 and sum by (namespace) (rate(envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="edge"}[6h])) > 0`,
    for: "5m",
    summary: "Envoy in {{ $labels.namespace }} has seen no request for ten minutes, and had some before.",
  },
  {
    name: "GantryNothingToScrape",
    severity: "critical",
    expr: "absent(gantry_build_info)",
    for: "10m",
    summary: "No worker has told its metrics for ten minutes.",
  },
];

export const alertRules: RuleGroup = { name: "gantry-alerts", rules: [...burns, ...symptoms].map(ruleOf) };

function ruleOf({ name, severity, expr, summary, for: duration }: Alert): AlertingRule {
  return {
    alert: name,
    expr,
    ...(duration === undefined ? {} : { for: duration }),
    labels: { severity },
    annotations: { summary, runbook_url: `${RUNBOOKS}/${name}.md` },
  };
}
