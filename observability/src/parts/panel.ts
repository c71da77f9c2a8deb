/** Panels in the one way that all dashboards here have them. */
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  YAxisConfigBuilder,
} from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as GraphBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import type { Query } from "./query.ts";

/** From which value on a panel has which colour. Below the first it is green, or what `below` says. */
export interface Limits {
  readonly below?: Color;
  readonly steps: readonly (readonly [from: number, color: Color])[];
}
type Color = "green" | "orange" | "red" | "blue";

/** Of shares of calls that fail: past the first, an objective of 99.9 % is in danger. */
export const FAILURE_LIMITS: Limits = {
  steps: [
    [0.001, "orange"],
    [0.01, "red"],
  ],
};

interface PanelOptions {
  readonly title: string;
  /** What is seen, and what to make of it: a sentence or two. */
  readonly description: string;
  /** As Grafana names units: `reqps`, `s`, `percentunit`, `bytes`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  readonly limits?: Limits;
  /** Of the 24 columns of a dashboard. Default 12; 4 for tiles. */
  readonly width?: number;
  /** What stands there while there is no data. Default "no data". */
  readonly empty?: string;
}

/** The data source that the variable at the top of every dashboard names. */
export const DATA_SOURCE = { type: "prometheus", uid: "$datasource" };

/** Lines over time. */
export function graph(
  options: PanelOptions & { readonly stacked?: true; readonly max?: number },
): Builder<Panel> {
  const panel = common(new GraphBuilder(), options, 12)
    .height(8)
    .min(0)
    .lineWidth(1)
    .fillOpacity(options.stacked ? 40 : 8)
    .spanNulls(false)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .calcs(["lastNotNull", "max"])
        .sortBy("Max")
        .sortDesc(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .thresholdsStyle(
      new GraphThresholdsStyleConfigBuilder().mode(
        options.limits ? GraphThresholdsStyleMode.Dashed : GraphThresholdsStyleMode.Off,
      ),
    );
  if (options.stacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
  return options.max === undefined ? panel : panel.max(options.max);
}

/** A number for each series, as it is now, over a small picture of how it came there. */
export function tiles(options: PanelOptions & { readonly decimals?: number }): Builder<Panel> {
  const panel = common(new StatBuilder(), options, 4)
    .height(4)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .textMode(BigValueTextMode.Auto)
    .graphMode(BigValueGraphMode.Area)
    .colorMode(options.limits ? BigValueColorMode.Background : BigValueColorMode.Value);
  return options.decimals === undefined ? panel : panel.decimals(options.decimals);
}

/** How many calls fell into each bucket of a histogram, over time. */
export function heatmap(options: Omit<PanelOptions, "queries" | "limits"> & { readonly buckets: Query }) {
  const { buckets, ...rest } = options;
  return common(new HeatmapBuilder(), { ...rest, queries: [] }, 12)
    .height(8)
    .withTarget(target(buckets, 0).format(PromQueryFormat.Heatmap))
    .calculate(false)
    .yAxis(new YAxisConfigBuilder().unit(options.unit))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme("Spectral").steps(64))
    .exemplarsColor("rgba(255,0,255,0.7)")
    .showLegend();
}

/** What all kinds of panels have, of the SDK's builders. */
interface CommonBuilder<B> extends Builder<Panel> {
  title(title: string): B;
  description(text: string): B;
  datasource(source: typeof DATA_SOURCE): B;
  span(columns: number): B;
  unit(unit: string): B;
  noValue(text: string): B;
  thresholds(thresholds: Builder<ReturnType<ThresholdsConfigBuilder["build"]>>): B;
  targets(targets: DataqueryBuilder[]): B;
}

function common<B extends CommonBuilder<B>>(builder: B, options: PanelOptions, width: number): B {
  const { below = "green", steps = [] } = options.limits ?? {};
  const all = [{ value: null, color: below }, ...steps.map(([value, color]) => ({ value, color }))];
  return builder
    .title(options.title)
    .description(options.description)
    .datasource(DATA_SOURCE)
    .span(options.width ?? width)
    .unit(options.unit)
    .noValue(options.empty ?? "no data")
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(all))
    .targets(options.queries.map(target));
}

function target({ expr, legend, exemplars }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode(65 + index))
    .datasource(DATA_SOURCE)
    .expr(expr)
    .legendFormat(legend)
    .range()
    .exemplar(exemplars === true);
}
