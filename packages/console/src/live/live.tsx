import { useMemo, useState } from "preact/hooks";
import type { LivePoint, MethodPoint, WorkerPoint } from "../api.ts";
import { points } from "../gateway.ts";
import { Empty } from "../parts/empty.tsx";
import { duration, rate } from "../parts/format.ts";
import { useStore } from "../store.ts";
import { Chart, type Series } from "./chart.tsx";
import { Quotas } from "./quotas.tsx";

/** How the workers do now, and did in the last 15 minutes. */
export function LiveView() {
  const known = useStore(points);
  const [only, setOnly] = useState("");
  const methods = useMemo(() => methodsOf(known), [known]);
  const now = known.at(-1);
  if (!now) return <Empty title="Measuring …">The first numbers show here within two seconds.</Empty>;
  const times = known.map(({ at }) => at / 1_000);
  const shown = only === "" ? methods : methods.filter(({ key }) => key === only);
  const lines = (index: number, factor = 1): Series[] =>
    shown.map(({ key, worker, name }) => ({
      label: only === "" ? key : name,
      values: known.map(({ workers }) => valueAt(workers[worker], name, index, factor)),
    }));
  const quantiles: Series[] =
    only === ""
      ? lines(3, 1_000)
      : [2, 3, 4].flatMap((index) =>
          lines(index, 1_000).map((line) => ({ ...line, label: LABELS[index] ?? "" })),
        );
  return (
    <div class="page">
      <div class="head">
        <h1>Live</h1>
        <select
          aria-label="Method"
          value={only}
          onChange={({ currentTarget }) => setOnly(currentTarget.value)}
        >
          <option value="">all methods</option>
          {methods.map(({ key }) => (
            <option key={key} value={key}>
              {key}
            </option>
          ))}
        </select>
        <span class="hint">the last 15 minutes, every 2 s</span>
      </div>
      <div class="workers">
        {Object.entries(now.workers).map(([name, worker]) => (
          <WorkerCard key={name} name={name} now={now.at} {...worker} />
        ))}
      </div>
      <div class="charts">
        <Chart title="Calls per second" times={times} series={lines(0)} />
        <Chart title="Errors per second" times={times} series={lines(1)} />
        <Chart
          title={only === "" ? "Latency, 95th percentile, ms" : "Latency, ms"}
          times={times}
          series={quantiles}
        />
        <Chart title="Calls in flight" times={times} series={lines(5)} />
        <Chart title="Refused by quotas, per second" times={times} series={refusals(known)} />
        <Chart
          title="Event-loop lag, 99th percentile, ms"
          times={times}
          series={Object.keys(now.workers).map((worker) => ({
            label: worker,
            values: known.map(({ workers }) => (workers[worker]?.up ? workers[worker].lag * 1_000 : null)),
          }))}
        />
      </div>
      <MethodTable methods={shown} now={now} />
      <Quotas now={now} />
    </div>
  );
}

const LABELS: Readonly<Record<number, string>> = { 2: "p50", 3: "p95", 4: "p99" };

interface BusyMethod {
  /** `greeter: greeter.v1.Greeter/SayHello` */
  readonly key: string;
  readonly worker: string;
  readonly name: string;
}

/** Every method that was called in the time that is shown. */
function methodsOf(known: readonly LivePoint[]): BusyMethod[] {
  const found = new Map<string, BusyMethod>();
  for (const { workers } of known) {
    for (const [worker, { methods }] of Object.entries(workers)) {
      for (const name of Object.keys(methods)) {
        const key = `${worker}: ${name.slice(name.lastIndexOf(".") + 1)}`;
        if (!found.has(key)) found.set(key, { key, worker, name });
      }
    }
  }
  return [...found.values()].sort((a, b) => a.key.localeCompare(b.key));
}

/** Null, a gap, where the worker is away; latency of no calls is a gap as well. */
function valueAt(
  worker: WorkerPoint | undefined,
  name: string,
  index: number,
  factor: number,
): number | null {
  if (!worker?.up) return null;
  const point: MethodPoint | undefined = worker.methods[name];
  const isLatency = index >= 2 && index <= 4;
  if (!point) return isLatency ? null : 0;
  return isLatency && point[0] === 0 ? null : (point[index] ?? 0) * factor;
}

/** Of every quota that decides at the moment. */
function refusals(known: readonly LivePoint[]): Series[] {
  return Object.entries(known.at(-1)?.workers ?? {}).flatMap(([worker, { quotas }]) =>
    Object.keys(quotas).map((id) => ({
      label: `${worker}: ${id}`,
      values: known.map(({ workers }) => workers[worker]?.quotas[id]?.[1] ?? null),
    })),
  );
}

function WorkerCard({
  name,
  now,
  up,
  state,
  version,
  startedAt,
  lag,
  heapBytes,
  methods,
}: WorkerPoint & { name: string; now: number }) {
  const inFlight = Object.values(methods).reduce((sum, point) => sum + point[5], 0);
  return (
    <section class="card worker" aria-label={name}>
      <h2>
        {name} <span class={`badge ${up && state === "serving" ? "good" : "bad"}`}>{state}</span>
      </h2>
      <dl>
        <Figure name="in flight" value={up ? String(inFlight) : "–"} />
        <Figure name="lag" value={up ? duration(lag * 1_000) : "–"} />
        <Figure name="heap" value={up ? `${(heapBytes / 1_048_576).toFixed(0)} MiB` : "–"} />
        <Figure name="up for" value={up ? duration(Math.max(0, now - startedAt * 1_000)) : "–"} />
        <Figure name="version" value={version || "–"} />
      </dl>
    </section>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const NONE: MethodPoint = [0, 0, 0, 0, 0, 0];

function MethodTable({ methods, now }: { methods: readonly BusyMethod[]; now: LivePoint }) {
  return (
    <section class="card" aria-label="Methods">
      <h2>Methods</h2>
      {methods.length === 0 && (
        <p class="hint">Nothing was called in this time. Call something under Try it, and it shows here.</p>
      )}
      {methods.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Method</th>
                <th class="number">calls/s</th>
                <th class="number">errors</th>
                <th class="number">p50</th>
                <th class="number">p95</th>
                <th class="number">p99</th>
                <th class="number">in flight</th>
              </tr>
            </thead>
            <tbody>
              {methods.map(({ key, worker, name }) => {
                const [calls, errors, p50, p95, p99, inFlight] = now.workers[worker]?.methods[name] ?? NONE;
                return (
                  <tr key={key}>
                    <td>{key}</td>
                    <td class="number">{rate(calls)}</td>
                    <td class="number">{calls > 0 ? `${((errors / calls) * 100).toFixed(1)} %` : "–"}</td>
                    {[p50, p95, p99].map((seconds, index) => (
                      // The three quantiles, in their order.
                      <td class="number" key={index}>
                        {calls > 0 ? duration(seconds * 1_000) : "–"}
                      </td>
                    ))}
                    <td class="number">{inFlight}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
