import { get } from "node:http";
import type { LivePoint, Reading, WorkerPoint } from "@gantry/console";
import { Readings } from "./readings.ts";
import type { ShownWorker } from "./settings.ts";

export interface Live {
  /** The last 15 minutes. */
  readonly points: readonly LivePoint[];
  /** Calls with each new point, until what it returns is called. */
  subscribe(listener: (point: LivePoint) => void): () => void;
  close(): void;
}

const EVERY_MS = 2_000;
const KEPT = (15 * 60_000) / EVERY_MS;
const SCRAPE_TIMEOUT_MS = 1_500;
const LONGEST_PAGE = 8 * 1024 * 1024;

const AWAY: WorkerPoint = {
  up: false,
  startedAt: 0,
  version: "",
  state: "away",
  lag: 0,
  heapBytes: 0,
  methods: {},
  quotas: {},
};

/** Looks at the metrics of every worker, every two seconds. */
export function startLive(workers: readonly ShownWorker[]): Live {
  const readings = new Map(workers.map(({ name }) => [name, new Readings()]));
  const points: LivePoint[] = [];
  const listeners = new Set<(point: LivePoint) => void>();

  async function look({ name, admin }: ShownWorker): Promise<[string, WorkerPoint]> {
    const known = readings.get(name);
    const text = await scrape(`${admin}/metrics`);
    if (text === undefined || !known) {
      known?.forget();
      return [name, AWAY];
    }
    return [name, { up: true, ...known.add(performance.now(), text) } satisfies Reading & { up: true }];
  }

  let looking = false;
  async function tick(): Promise<void> {
    if (looking) return;
    looking = true;
    const point = { at: Date.now(), workers: Object.fromEntries(await Promise.all(workers.map(look))) };
    looking = false;
    points.push(point);
    if (points.length > KEPT) points.shift();
    for (const listener of listeners) listener(point);
  }
  const timer = setInterval(tick, EVERY_MS);
  void tick();

  return {
    points,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => clearInterval(timer),
  };
}

/** The text of a page, or undefined where it cannot be had. */
function scrape(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: SCRAPE_TIMEOUT_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.length > LONGEST_PAGE) request.destroy();
      });
      response.once("end", () => resolve(response.statusCode === 200 ? text : undefined));
    });
    request.once("timeout", () => request.destroy());
    request.once("close", () => resolve(undefined));
    request.once("error", () => resolve(undefined));
  });
}
