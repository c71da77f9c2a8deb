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
export async function startPrometheus(...targets: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), "gantry-prometheus-"));
  const config = join(directory, "prometheus.yml");
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: "200ms", scrape_timeout: "200ms" },
      scrape_configs: [{ job_name: "worker", static_configs: [{ targets }] }],
    }),
  );
  const child = spawn(
    "prometheus",
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      "--web.listen-address=127.0.0.1:0",
      "--enable-feature=exemplar-storage",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const exited = once(child, "exit");
  const address = await addressOf(child.stderr);

  /** Asks until there is an answer: Prometheus has no event for a scrape that is stored. */
  async function ask<T>(path: string, parameters: Record<string, string>, read: (data: unknown) => T[]) {
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`);
      const { data } = Object(await response.json());
      const found = read(data);
      if (found.length > 0) return found;
      await delay(100);
    }
    throw new Error(`Prometheus has no answer to ${path} ${parameters.query}.`);
  }

  return {
    // Both answer in the shapes that the HTTP API documents.
    query: (query: string) => ask("query", { query }, (data) => Object(data).result as Sample[]),
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
