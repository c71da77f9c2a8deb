/** Everything that is generated here: dashboards and rules. `npm run generate` writes it, `npm run check` compares. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { stringify } from "yaml";
import { edge } from "./dashboards/edge.ts";
import { loadTest } from "./dashboards/load-test.ts";
import { overview } from "./dashboards/overview.ts";
import { quotas } from "./dashboards/quotas.ts";
import { runtime } from "./dashboards/runtime.ts";
import { service } from "./dashboards/service.ts";
import { alertRules } from "./rules/alerts.ts";
import { objectiveRules } from "./rules/objectives.ts";
import type { RuleGroup } from "./rules/rule.ts";
import { readObjectives } from "./slos.ts";

const NOTE = "# Generated from observability/src and observability/slos.json: npm run generate.\n";

/** @returns the text of each file, by its path from the folder observability */
export function artifacts(): Map<string, string> {
  const dashboards: Readonly<Record<string, Dashboard>> = {
    overview,
    service,
    quotas,
    runtime,
    edge,
    "load-test": loadTest,
  };
  const groups: RuleGroup[] = [objectiveRules(readObjectives()), alertRules];
  return new Map([
    ...Object.entries(dashboards).map(
      ([name, content]) => [`dashboards/${name}.json`, `${JSON.stringify(content, null, 2)}\n`] as const,
    ),
    ["rules/gantry.yaml", yaml({ groups })],
    [
      "rules/prometheus-rule.yaml",
      yaml({
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: { name: "gantry", namespace: "gantry" },
        spec: { groups },
      }),
    ],
  ]);
}

/** Writes them where they are committed. */
export function writeArtifacts(): void {
  for (const [path, text] of artifacts()) writeFileSync(join(import.meta.dirname, "..", path), text);
}

function yaml(content: unknown): string {
  return NOTE + stringify(content, { lineWidth: 0, aliasDuplicateObjects: false });
}
