import { boundText, labelText, type MetricsWriter, type MetricType } from "./text-format.ts";

/** Writes what prom-client knows of the process: `process_*` and `nodejs_*`. */
export async function writeProcessMetrics(writer: MetricsWriter): Promise<void> {
  registry ??= loadRegistry();
  for (const { name, help, type, values } of await (await registry).getMetricsAsJSON()) {
    writer.family(metricType(String(type)), name, help);
    for (const sample of values) {
      const sampleName =
        "metricName" in sample && typeof sample.metricName === "string" ? sample.metricName : name;
      writer.sample(sampleName, labelText(labelsOf(sample.labels)), sample.value);
    }
  }
}

/** There is one process, whatever runs in it; it is watched from the first scrape on. */
let registry: ReturnType<typeof loadRegistry> | undefined;

/** prom-client is loaded when it is first needed: no start waits for it. */
async function loadRegistry() {
  const { collectDefaultMetrics, Registry } = await import("prom-client");
  const loaded = new Registry();
  collectDefaultMetrics({ register: loaded });
  for (const name of GAUGES_NAMED_AS_COUNTERS) loaded.removeSingleMetric(name);
  return loaded;
}

/** `promtool check metrics` objects to them, and `sum` over the gauges that they add up says the same. */
const GAUGES_NAMED_AS_COUNTERS = ["resources", "handles", "requests"].map(
  (what) => `nodejs_active_${what}_total`,
);

/** prom-client's types have an enum here, of which it makes no use: the value is the word. */
function metricType(type: string): MetricType {
  return type === "counter" || type === "histogram" ? type : "gauge";
}

function labelsOf(labels: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) {
    if (value !== undefined)
      texts[name] = name === "le" && typeof value === "number" ? boundText(value) : String(value);
  }
  return texts;
}
