/** The dashboards and rules of observability/, as they are committed, and every query in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "./worker-process.ts";

const FOLDER = join(ROOT, "observability");
export const RULES_FILE = join(FOLDER, "rules/gantry.yaml");

/** A query of a panel, with Grafana's variables in it. */
export interface PanelQuery {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
  readonly legend: string;
  readonly exemplar: boolean;
}

/** A panel of a dashboard, as far as the tests look at it. */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string; readonly thresholds?: object } };
  readonly targets?: readonly {
    readonly expr: string;
    readonly legendFormat: string;
    readonly exemplar: boolean;
    readonly datasource: { readonly uid: string };
  }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
  readonly links: readonly { readonly title: string }[];
}

export function readDashboards(): Dashboard[] {
  const folder = join(FOLDER, "dashboards");
  return readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
}

export function panelQueries(dashboards: readonly Dashboard[]): PanelQuery[] {
  return dashboards.flatMap(({ title: dashboard, panels }) =>
    panels.flatMap(({ title: panel, targets = [] }) =>
      targets.map(({ expr, legendFormat: legend, exemplar }) => ({
        ...{ dashboard, panel, expr, legend, exemplar },
      })),
    ),
  );
}

/** What the variables of dashboards ask for: `label_values(metric{…}, label)`. */
export function variableQueries(dashboards: readonly Dashboard[]) {
  return dashboards.flatMap(({ title: dashboard, templating }) =>
    templating.list.flatMap(({ name, definition }) => {
      const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? "") ?? [];
      return selector && label ? [{ dashboard, variable: name, selector, label }] : [];
    }),
  );
}

/** What rules and alerts ask for, by their names. */
export function ruleQueries(): { readonly rule: string; readonly expr: string; readonly records: boolean }[] {
  const { groups }: { groups: readonly { rules: readonly Record<string, string>[] }[] } = parse(
    readFileSync(RULES_FILE, "utf8"),
  );
  return groups.flatMap(({ rules }) =>
    rules.map(({ record, alert = "", expr = "" }) => ({
      rule: record ?? alert,
      expr,
      records: record !== undefined,
    })),
  );
}

/** A query as Grafana sends it, where everything is chosen. */
export function withValues(expr: string): string {
  return expr.replaceAll("$__rate_interval", "5s").replaceAll(/"\$\w+"/g, '".*"');
}
