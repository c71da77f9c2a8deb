import type { MethodPoint, Reading } from "@gantry/console";
import { readSamples, type Sample } from "./prometheus-text.ts";

interface MethodCounts {
  handled: number;
  failed: number;
  inFlight: number;
  /** Calls that took at most so many seconds, in the order of the bounds. */
  readonly buckets: [bound: number, calls: number][];
}

interface Snapshot {
  readonly atMs: number;
  startedAt: number;
  version: string;
  state: string;
  lag: number;
  heapBytes: number;
  readonly methods: Map<string, MethodCounts>;
  readonly quotas: Map<string, [allowed: number, refused: number]>;
}

/** Rates and quantiles are those of this many looks, so that a quiet service does not flicker. */
const WINDOW = 6;
/** What the runtime itself serves, which the console asks a lot. */
const IN_BAND = /^(grpc\.|gantry\.v1\.Admin$)/;

/** The last looks at one worker's metrics. */
export class Readings {
  #snapshots: Snapshot[] = [];

  add(atMs: number, text: string): Reading {
    const now = snapshotOf(atMs, text);
    if (this.#snapshots.at(-1)?.startedAt !== now.startedAt) this.forget();
    this.#snapshots.push(now);
    if (this.#snapshots.length > WINDOW) this.#snapshots.shift();
    const [before = now] = this.#snapshots;
    const seconds = (now.atMs - before.atMs) / 1_000;
    const perSecond = (after: number, earlier = 0) => (seconds > 0 ? (after - earlier) / seconds : 0);

    const methods: Record<string, MethodPoint> = {};
    for (const [name, counts] of now.methods) {
      const earlier = before.methods.get(name);
      const rate = perSecond(counts.handled, earlier?.handled);
      if (rate === 0 && counts.inFlight === 0) continue;
      const errors = perSecond(counts.failed, earlier?.failed);
      const quantiles = quantilesOf(counts, earlier);
      methods[name] = [rate, errors, ...quantiles, counts.inFlight];
    }
    const quotas: Record<string, [number, number]> = {};
    for (const [id, [allowed, refused]] of now.quotas) {
      const [allowedBefore, refusedBefore] = before.quotas.get(id) ?? [];
      quotas[id] = [perSecond(allowed, allowedBefore), perSecond(refused, refusedBefore)];
    }
    const { startedAt, version, state, lag, heapBytes } = now;
    return { startedAt, version, state, lag, heapBytes, methods, quotas };
  }

  /** The worker is another process, or away: what was counted says nothing of what comes. */
  forget(): void {
    this.#snapshots = [];
  }
}

function snapshotOf(atMs: number, text: string): Snapshot {
  const snapshot: Snapshot = {
    atMs,
    startedAt: 0,
    version: "",
    state: "",
    lag: 0,
    heapBytes: 0,
    methods: new Map(),
    quotas: new Map(),
  };
  for (const sample of readSamples(text)) take(snapshot, sample);
  return snapshot;
}

function take(snapshot: Snapshot, { name, labels, value }: Sample): void {
  switch (name) {
    case "process_start_time_seconds":
      snapshot.startedAt = value;
      return;
    case "nodejs_eventloop_lag_p99_seconds":
      snapshot.lag = Number.isFinite(value) ? value : 0;
      return;
    case "nodejs_heap_size_used_bytes":
      snapshot.heapBytes = value;
      return;
    case "gantry_build_info":
      snapshot.version = labels.version ?? "";
      return;
    case "gantry_worker_state":
      if (value === 1) snapshot.state = labels.state ?? "";
      return;
    case "gantry_quota_decisions_total": {
      const id = labels.quota ?? "";
      const counts = snapshot.quotas.get(id) ?? [0, 0];
      counts[labels.decision === "refused" ? 1 : 0] = value;
      snapshot.quotas.set(id, counts);
      return;
    }
    case "grpc_server_handled_total": {
      const method = methodOf(snapshot, labels);
      if (!method) return;
      method.handled += value;
      if (labels.grpc_code !== "OK") method.failed += value;
      return;
    }
    case "grpc_server_handling_seconds_bucket":
      methodOf(snapshot, labels)?.buckets.push([boundOf(labels.le), value]);
      return;
    case "gantry_calls_in_flight": {
      const method = methodOf(snapshot, labels);
      if (method) method.inFlight = value;
    }
  }
}

function boundOf(text = ""): number {
  return text === "+Inf" ? Number.POSITIVE_INFINITY : Number(text);
}

function methodOf({ methods }: Snapshot, labels: Sample["labels"]): MethodCounts | undefined {
  const { grpc_service: service = "", grpc_method: method = "" } = labels;
  if (IN_BAND.test(service)) return undefined;
  const name = `${service}/${method}`;
  const known = methods.get(name);
  if (known) return known;
  const counts: MethodCounts = { handled: 0, failed: 0, inFlight: 0, buckets: [] };
  methods.set(name, counts);
  return counts;
}

/** As Prometheus's `histogram_quantile` estimates them. */
function quantilesOf(now: MethodCounts, before: MethodCounts | undefined): [number, number, number] {
  const buckets = now.buckets.map(([bound, calls], index): [number, number] => [
    bound,
    calls - (before?.buckets[index]?.[1] ?? 0),
  ]);
  const total = buckets.at(-1)?.[1] ?? 0;
  const quantile = (share: number) => {
    const wanted = share * total;
    let [lower, below] = [0, 0];
    for (const [bound, calls] of buckets) {
      if (calls >= wanted && calls > below) {
        return bound === Number.POSITIVE_INFINITY
          ? lower
          : lower + (bound - lower) * ((wanted - below) / (calls - below));
      }
      if (bound !== Number.POSITIVE_INFINITY) lower = bound;
      below = calls;
    }
    return lower;
  };
  return total > 0 ? [quantile(0.5), quantile(0.95), quantile(0.99)] : [0, 0, 0];
}
