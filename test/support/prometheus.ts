import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

/** A series at one moment, as `/api/v1/query` answers it. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [unixSeconds: number, value: string];
}

/** The exemplars of one series, as `/api/v1/query_exemplars` answers them. */
export interface SeriesExemplars {
  readonly seriesLabels: Readonly<Record<string, string>>;
  readonly exemplars: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: string;
  }[];
}

/** A Prometheus that scrapes these addresses, such as `127.0.0.1:9464`, five times a second. */
export function startPrometheus(...targets: readonly string[]) {
  return runPrometheus({ scrape_configs: [{ job_name: "worker", static_configs: [{ targets }] }] });
}

/** The parts of Prometheus's configuration that tests choose. Everything happens five times a second. */
export interface PrometheusConfiguration {
  readonly scrape_configs?: readonly object[];
  readonly rule_files?: readonly string[];
}

/** A Prometheus with this configuration; it also takes what is written to `/api/v1/write`. */
export async function runPrometheus(configuration: PrometheusConfiguration) {
  const directory = await mkdtemp(join(tmpdir(), "gantry-prometheus-"));
  const config = join(directory, "prometheus.yml");
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: "200ms", scrape_timeout: "200ms", evaluation_interval: "200ms" },
      ...configuration,
    }),
  );
  const child = spawn(
    "prometheus",
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      "--web.listen-address=127.0.0.1:0",
      "--web.enable-remote-write-receiver",
      "--enable-feature=exemplar-storage",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const exited = once(child, "exit");
  const address = await addressOf(child.stderr);

  async function get(path: string, parameters: Record<string, string>): Promise<unknown> {
    const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { data, error } = Object(await response.json());
    if (error) throw new Error(`Prometheus says to ${path} ${parameters.query}: ${error}`);
    return data;
  }

  /** Asks until there is an answer: Prometheus has no event for a scrape that is stored. */
  async function ask<T>(path: string, parameters: Record<string, string>, read: (data: unknown) => T[]) {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const found = read(await get(path, parameters));
      if (found.length > 0) return found;
      await delay(100);
    }
    throw new Error(`Prometheus has no answer to ${path} ${parameters.query}.`);
  }

  return {
    // All answer in the shapes that the HTTP API documents.
    query: (query: string) => ask("query", { query }, (data) => Object(data).result as Sample[]),
    /** What there is by now, and be it nothing. */
    queryNow: async (query: string) => Object(await get("query", { query })).result as Sample[],
    /** The labels of every series of this metric. */
    series: async (metric: string) => (await get("series", { "match[]": metric })) as Sample["metric"][],
    /** The query as Prometheus writes it. Throws what is wrong with it. */
    format: async (query: string) => String(await get("format_query", { query })),
    /** Where it takes remote writes. */
    remoteWrite: `http://${address}/api/v1/write`,
    exemplars(query: string) {
      const now = Date.now() / 1_000;
      const span = { start: String(now - 600), end: String(now + 600) };
      return ask("query_exemplars", { query, ...span }, (data) => data as SeriesExemplars[]);
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
      await rm(directory, { recursive: true });
    },
  };
}

/** The address that Prometheus listens on, by its log. */
async function addressOf(log: NodeJS.ReadableStream): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface(log)) {
    lines.push(line);
    const address = /msg="Listening on".* address=(\S+)/.exec(line)?.[1];
    if (address) {
      log.resume();
      return address;
    }
  }
  throw new Error(`Prometheus did not start:\n${lines.join("\n")}`);
}
