import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { policy, type Quota, Quota_Per } from "@gantry/proto/gantry/v1/policy_pb.js";
import { dashboard } from "../parts/dashboard.ts";
import { graph, heatmap, tiles } from "../parts/panel.ts";
import { PODS, part, rate, sumBy } from "../parts/query.ts";
import { NAMESPACE, POD, WORKER } from "../parts/variables.ts";
import { SERVICES } from "../slos.ts";

const DECISIONS = "gantry_quota_decisions_total";
const STORE_SECONDS = "gantry_quota_store_seconds";
const REFUSED = `${PODS},quota=~"$quota",decision="refused"`;
const ALL = `${PODS},quota=~"$quota"`;

export const quotas = dashboard({
  uid: "quotas",
  title: "Quotas",
  description:
    "Who is held back: what quotas let pass and refuse, and how the store that replicas share answers.",
  variables: [
    NAMESPACE,
    WORKER,
    POD,
    {
      name: "quota",
      label: "Quota",
      description: "The quota's id, as it stands in the contract.",
      query: 'label_values(gantry_quota_decisions_total{namespace=~"$namespace",worker=~"$worker"}, quota)',
    },
  ],
  rows: [
    {
      title: "Decisions",
      panels: [
        tiles({
          title: "Refused now",
          description: "The share of what was counted that was refused, by quota.",
          unit: "percentunit",
          queries: [
            {
              expr: part("quota", DECISIONS, REFUSED, ALL),
              legend: "{{quota}}",
            },
          ],
          limits: {
            steps: [
              [0.01, "orange"],
              [0.25, "red"],
            ],
          },
          width: 24,
        }),
        graph({
          title: "Decisions by quota",
          description: "Calls or messages per second that a quota let pass or refused.",
          unit: "ops",
          queries: [
            { expr: sumBy("quota, decision", rate(DECISIONS, ALL)), legend: "{{quota}} {{decision}}" },
          ],
          stacked: true,
        }),
        graph({
          title: "Refusals over time",
          description: "Refused per second. Whom it hits is in the logs: subjects are never labels.",
          unit: "ops",
          queries: [
            { expr: sumBy("worker, quota", rate(DECISIONS, REFUSED)), legend: "{{quota}} ({{worker}})" },
          ],
        }),
      ],
    },
    { title: "By quota, as the contracts have them", panels: declaredQuotas().map(panelOf) },
    {
      title: "The store that replicas share (empty where each counts by itself)",
      panels: [
        tiles({
          title: "Pods that have their store",
          description:
            "The share of pods to which the store answers in time. The others count by themselves, refuse or allow, as QUOTA_STORE_FALLBACK says.",
          unit: "percentunit",
          queries: [{ expr: `avg by (worker) (gantry_quota_store_up{${PODS}})`, legend: "{{worker}}" }],
          limits: { below: "red", steps: [[1, "green"]] },
          empty: "no shared store",
        }),
        graph({
          title: "Decisions without the store",
          description: "Per second, by reason: timeout is a store that was late, error one that failed.",
          unit: "ops",
          queries: [
            {
              expr: sumBy("worker, reason", rate("gantry_quota_store_fallbacks_total", PODS)),
              legend: "{{worker}} {{reason}}",
            },
          ],
          width: 10,
        }),
        graph({
          title: "Round trips",
          description: "How long the store took to decide, late answers included.",
          unit: "s",
          queries: [0.5, 0.99].map((q) => ({
            expr: `histogram_quantile(${q}, ${sumBy("le", rate(`${STORE_SECONDS}_bucket`, PODS))})`,
            legend: `p${q * 100}`,
          })),
          width: 10,
        }),
        heatmap({
          title: "Round trips, all of them",
          description: "How many decisions took how long.",
          unit: "s",
          width: 24,
          buckets: { expr: sumBy("le", rate(`${STORE_SECONDS}_bucket`, PODS)), legend: "{{le}}" },
        }),
      ],
    },
  ],
});

/** A quota, and the methods that are charged to it. */
interface DeclaredQuota {
  readonly quota: Quota;
  readonly methods: readonly DescMethod[];
}

function declaredQuotas(): DeclaredQuota[] {
  const found = new Map<string, DeclaredQuota>();
  for (const method of SERVICES.flatMap(({ methods }) => methods)) {
    if (!hasOption(method, policy)) continue;
    for (const quota of getOption(method, policy).quotas) {
      const methods = [...(found.get(quota.id)?.methods ?? []), method];
      found.set(quota.id, { quota, methods });
    }
  }
  return [...found.values()];
}

function panelOf({ quota, methods }: DeclaredQuota) {
  return graph({
    title: quota.id,
    description: `${sentenceOf(quota)} For ${methods.map(({ parent, name }) => `${parent.typeName}/${name}`).join(", ")}. A policy file may say otherwise: see /explain.`,
    unit: "ops",
    queries: [
      { expr: sumBy("decision", rate(DECISIONS, `${PODS},quota="${quota.id}"`)), legend: "{{decision}}" },
    ],
    stacked: true,
    width: 8,
  });
}

function sentenceOf({ limit, window, per, subject }: Quota): string {
  const what = per === Quota_Per.MESSAGE ? "messages" : "calls";
  const time = window === undefined ? "in a worker's life" : `in ${window.seconds} s`;
  return `${limit} ${what} ${time} for each ${subject || "worker"}.`;
}
