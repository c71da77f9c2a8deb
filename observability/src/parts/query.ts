/** What panels ask, and the words that their queries share. */

/** A query of a panel. */
export interface Query {
  readonly expr: string;
  /** The name of each of its series, such as `{{grpc_method}}`. */
  readonly legend: string;
  /** Shows traces of single calls as points over the lines. Only for queries of histograms that carry them. */
  readonly exemplars?: true;
}

/** Codes by which a service fails its callers; others are the caller's own doing, or a refusal. */
export const FAILURES = "Unknown|Internal|Unavailable|DataLoss|DeadlineExceeded";

/** Selects the workers that the variables at the top of a dashboard name. */
export const WORKERS = 'namespace=~"$namespace",worker=~"$worker"';
/** The same, down to pods. */
export const PODS = `${WORKERS},pod=~"$pod"`;
/** Calls of services and methods that the variables name. */
export const CALLS = `${PODS},grpc_service=~"$service",grpc_method=~"$method"`;

/** What a metric gains in a second, over the interval that Grafana finds right for the picture. */
export function rate(metric: string, selector: string): string {
  return `rate(${metric}{${selector}}[$__rate_interval])`;
}

export function sumBy(labels: string, expr: string): string {
  return `sum by (${labels}) (${expr})`;
}

/** A quantile of a histogram, by these labels; "" for one over all. */
export function quantile(q: number, metric: string, selector: string, labels = ""): string {
  const by = labels === "" ? "le" : `le, ${labels}`;
  return `histogram_quantile(${q}, ${sumBy(by, rate(`${metric}_bucket`, selector))})`;
}

/** The part of one rate in another; 0 while both are, so that what is idle reads as well. */
export function part(labels: string, metric: string, selector: string, of: string): string {
  const some = sumBy(labels, rate(metric, selector));
  return `${some} / (${sumBy(labels, rate(metric, of))} > 0) or ${some}`;
}

/** The ten highest, so that a picture of fifty pods can be read. */
export function highest(expr: string): string {
  return `topk(10, ${expr})`;
}

/** Median, and what all but one of 20 and of 100 stay below. */
export function quantiles(metric: string, selector: string): Query[] {
  return [0.5, 0.95, 0.99].map((q) => ({
    expr: quantile(q, metric, selector),
    legend: `p${q * 100}`,
    exemplars: true,
  }));
}
