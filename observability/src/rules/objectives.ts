/** What is recorded of each objective: how much of it is used up, over the windows that alerts and dashboards ask for. */
import { FAILURES } from "../parts/query.ts";
import type { Objective } from "../slos.ts";
import type { RecordingRule, RuleGroup } from "./rule.ts";

/** Over how long alerts look at an objective. Recorded as `gantry:slo_burn:rate1h` and so on. */
const WINDOWS = ["30m", "1h", "2h", "6h", "1d", "3d"];

/** The gateway hands calls on and counts them once more: an objective is of the worker that answers. */
const ANSWERS = 'worker!="gateway"';

export function objectiveRules(objectives: readonly Objective[]): RuleGroup {
  return {
    name: "gantry-objectives",
    rules: [...objectives.flatMap(ratesOf), ...WINDOWS.map((window) => burn(window)), burn("5m"), budgetLeft],
  };
}

/** Calls that an objective is about, those of them that miss it, and the share that may. */
function ratesOf({ service, availability, latency }: Objective): RecordingRule[] {
  const calls = `grpc_service="${service.typeName}",${ANSWERS}`;
  const unary = `${calls},grpc_type="unary"`;
  const labelsOf = (slo: string) => ({ grpc_service: service.typeName, slo });
  const rate = (metric: string, selector: string) => `sum by (namespace) (rate(${metric}{${selector}}[5m]))`;
  // As OpenMetrics writes bounds: 1.0, but 0.1.
  const seconds = latency.ms / 1_000;
  const bound = Number.isInteger(seconds) ? seconds.toFixed(1) : String(seconds);
  const timed = rate("grpc_server_handling_seconds_count", unary);
  return [
    {
      record: "gantry:slo_calls:rate5m",
      expr: rate("grpc_server_handled_total", calls),
      labels: labelsOf("availability"),
    },
    {
      record: "gantry:slo_misses:rate5m",
      expr: rate("grpc_server_handled_total", `${calls},grpc_code=~"${FAILURES}"`),
      labels: labelsOf("availability"),
    },
    { record: "gantry:slo_allowed:ratio", expr: share(1 - availability), labels: labelsOf("availability") },
    { record: "gantry:slo_calls:rate5m", expr: timed, labels: labelsOf("latency") },
    {
      record: "gantry:slo_misses:rate5m",
      expr: `${timed} - ${rate("grpc_server_handling_seconds_bucket", `${unary},le="${bound}"`)}`,
      labels: labelsOf("latency"),
    },
    { record: "gantry:slo_allowed:ratio", expr: share(1 - latency.ratio), labels: labelsOf("latency") },
  ];
}

/** Without the noise of floating point: 0.001, not 0.0010000000000000009. */
function share(ratio: number): string {
  return `vector(${Number(ratio.toPrecision(6))})`;
}

/** How many times faster than it may the budget goes: 1 uses it up in 30 days. Quiet times count by their calls. */
function burn(window: string): RecordingRule {
  return { record: `gantry:slo_burn:rate${window}`, expr: burnOver(window) };
}

const budgetLeft: RecordingRule = {
  record: "gantry:slo_budget_left:ratio30d",
  expr: `1 - ${burnOver("30d")}`,
};

function burnOver(window: string): string {
  const over = (metric: string) => (window === "5m" ? metric : `avg_over_time(${metric}[${window}])`);
  return `${over("gantry:slo_misses:rate5m")} / (${over("gantry:slo_calls:rate5m")} > 0) / on (grpc_service, slo) group_left () gantry:slo_allowed:ratio`;
}
