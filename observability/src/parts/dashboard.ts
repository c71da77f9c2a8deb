/** Dashboards in the one way that all here are: variables, links, rows. */
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DATA_SOURCE } from "./panel.ts";

/** A variable at the top of a dashboard, whose values Prometheus tells. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** `label_values(metric{selector}, label)` */
  readonly query: string;
  /** One value at a time. Default: any number of them, and first of all "All". */
  readonly single?: true;
  /** What "All" is. Default: whatever there is, and be it without that label. */
  readonly all?: "those that are offered";
}

interface Row {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

interface DashboardOptions {
  /** Also the name of its file. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** What every dashboard of ours is tagged with; the links between them go by it. */
const TAG = "gantry";

export function dashboard({ uid, title, description, variables, rows }: DashboardOptions): Dashboard {
  const builder = new DashboardBuilder(`Gantry / ${title}`)
    .uid(`gantry-${uid}`)
    .description(description)
    .tags([TAG])
    .readonly()
    .refresh("30s")
    .time({ from: "now-1h", to: "now" })
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"));
  for (const variable of variables) builder.withVariable(built(variable));
  for (const link of LINKS) builder.link(link());
  for (const { title, panels } of rows) {
    builder.withRow(new RowBuilder(title));
    for (const panel of panels) builder.withPanel(panel);
  }
  return builder.build();
}

function built({ name, label, description, query, single, all }: Variable): QueryVariableBuilder {
  const variable = new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(DATA_SOURCE)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
  if (single) return variable;
  variable
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ["All"], value: ["$__all"] });
  return all === undefined ? variable.allValue(".*") : variable;
}

/** To the other dashboards, which keep time and variables, and to where traces and logs are looked up. */
const LINKS = [
  () =>
    new DashboardLinkBuilder("Gantry")
      .type(DashboardLinkType.Dashboards)
      .tags([TAG])
      .includeVars(true)
      .keepTime(true),
  () => explore("Traces", "tempo", { queryType: "traceqlSearch", query: '{ resource.service.name != "" }' }),
  () => explore("Logs", "loki", { expr: '{service_name=~".+"}' }),
];

/** Opens Grafana's Explore on one of the data sources that observability/grafana provisions. */
function explore(title: string, uid: string, query: Readonly<Record<string, string>>): DashboardLinkBuilder {
  const pane = {
    datasource: uid,
    queries: [{ refId: "A", datasource: { type: uid, uid }, ...query }],
    range: { from: "now-1h", to: "now" },
  };
  return new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .icon("external link")
    .targetBlank(true)
    .url(`/explore?schemaVersion=1&panes=${encodeURIComponent(JSON.stringify({ a: pane }))}`);
}
