import type { Exemplar } from "@gantry/rpc";

/** What Prometheus scrapes: its own text format, or OpenMetrics, which alone carries exemplars. */
export type MetricsFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export type MetricType = "counter" | "gauge" | "histogram";

/**
 * Writes metrics as a scraper reads them, family by family. Labels come ready-made by `labelText`,
 * so that those of a method are put together once and not for each of its lines.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats and
 * https://prometheus.io/docs/specs/om/open_metrics_spec
 */
export class MetricsWriter {
  readonly #openMetrics: boolean;
  #text = "";

  constructor(format: MetricsFormat) {
    this.#openMetrics = format === "openmetrics";
  }

  /** Starts a family. @param name of a counter: with its `_total` */
  family(type: MetricType, name: string, help: string): void {
    const family = this.#openMetrics && type === "counter" ? name.replace(/_total$/, "") : name;
    const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    this.#text += `# HELP ${family} ${this.#openMetrics ? escaped.replaceAll('"', '\\"') : escaped}\n`;
    this.#text += `# TYPE ${family} ${type}\n`;
  }

  /** @param labels as `labelText` writes them; "" for none */
  sample(name: string, labels: string, value: number, exemplar?: Exemplar): void {
    const line = labels === "" ? `${name} ${numberText(value)}` : `${name}{${labels}} ${numberText(value)}`;
    this.#text += exemplar && this.#openMetrics ? `${line} # ${exemplarText(exemplar)}\n` : `${line}\n`;
  }

  /** Everything written, with the end that the format wants. */
  finish(): string {
    return this.#openMetrics ? `${this.#text}# EOF\n` : this.#text;
  }
}

/** `grpc_service="greeter.v1.Greeter",grpc_method="SayHello"` */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",");
}

/** The bound of a bucket, `5.0` for 5, as OpenMetrics has it: one series whichever format is scraped. */
export function boundText(bound: number): string {
  return Number.isInteger(bound) ? bound.toFixed(1) : numberText(bound);
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

function exemplarText({ traceId, spanId, seconds, timestamp }: Exemplar): string {
  return `{trace_id="${traceId}",span_id="${spanId}"} ${seconds} ${timestamp}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
