/** What is known of a run when it is over: the same for the text, the JSON file, the page and comparisons. */
import { CODES } from "../answers.ts";

/** Milliseconds. */
export interface Latency {
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A part of the calls. */
export interface Part {
  readonly calls: number;
  /** 0 to 1. */
  readonly failedRatio: number;
  readonly latency: Latency;
}

export interface MethodResult extends Part {
  /** `greeter.v1.Greeter/SayHello` */
  readonly method: string;
}

export interface StepResult extends Part {
  /** From the begin of the run. */
  readonly startMs: number;
  readonly callsPerSecond: number;
  /** The rate that it was to have, where there was one. */
  readonly wantedPerSecond?: number;
}

export interface Verdict {
  /** `p(99)<=100 of grpc_req_duration{…}` */
  readonly rule: string;
  readonly ok: boolean;
}

export interface Result {
  readonly scenario: string;
  readonly target: string;
  /** ISO 8601. */
  readonly endedAt: string;
  readonly durationMs: number;
  readonly ok: boolean;
  readonly total: Part & {
    readonly callsPerSecond: number;
    readonly quotaRefused: number;
    /** Calls that found nobody at one address, and went to the next. */
    readonly moved: number;
    /** Iterations that had no virtual user to make them. */
    readonly dropped: number;
  };
  readonly statuses: Readonly<Record<string, number>>;
  readonly methods: readonly MethodResult[];
  readonly steps: readonly StepResult[];
  readonly thresholds: readonly Verdict[];
  readonly checks: readonly Verdict[];
  /** Any other figure of the scenario, by its metric. */
  readonly figures: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
}

/** What k6 hands to `handleSummary`, as far as it is read here. */
export interface Summary {
  readonly state: { readonly testRunDurationMs: number };
  readonly metrics: Readonly<
    Record<
      string,
      | {
          readonly values: Readonly<Record<string, number>>;
          readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
        }
      | undefined
    >
  >;
  readonly root_group: {
    readonly checks: readonly { readonly name: string; readonly passes: number; readonly fails: number }[];
  };
}

export interface RunFacts {
  readonly scenario: string;
  readonly target: string;
  readonly methods: readonly { readonly service: string; readonly name: string }[];
  readonly stepMs: number;
  readonly rates: readonly (number | undefined)[];
}

/** Thresholds that are there only to have k6 tell of a part of the calls. */
const PLACEHOLDER = /^(max|count|rate)>=0$/;
const FIGURES = ["streams_opened", "streams_ended", "cold_start_duration"];

export function resultOf(data: Summary, facts: RunFacts, endedAt: Date): Result {
  const value = (metric: string, name: string) => data.metrics[metric]?.values[name] ?? 0;
  const part = (tags: string): Part => ({
    calls: value(`grpc_reqs${tags}`, "count"),
    failedRatio: value(`grpc_req_failed${tags}`, "rate"),
    latency: {
      median: value(`grpc_req_duration${tags}`, "med"),
      p95: value(`grpc_req_duration${tags}`, "p(95)"),
      p99: value(`grpc_req_duration${tags}`, "p(99)"),
      max: value(`grpc_req_duration${tags}`, "max"),
    },
  });
  const durationMs = data.state.testRunDurationMs;
  const thresholds = Object.entries(data.metrics).flatMap(([metric, found]) =>
    Object.entries(found?.thresholds ?? {})
      .filter(([rule]) => !PLACEHOLDER.test(rule))
      .map(([rule, { ok }]) => ({ rule: `${rule} of ${metric}`, ok })),
  );
  const total = part("");
  return {
    scenario: facts.scenario,
    target: facts.target,
    endedAt: endedAt.toISOString(),
    durationMs,
    ok: thresholds.every(({ ok }) => ok),
    total: {
      ...total,
      callsPerSecond: perSecond(total.calls, durationMs),
      quotaRefused: value("quota_refused", "count"),
      moved: value("grpc_req_moved", "count"),
      dropped: value("dropped_iterations", "count"),
    },
    statuses: Object.fromEntries(
      CODES.map((name, code) => [name, value(`grpc_reqs{status:${code}}`, "count")] as const).filter(
        ([, count]) => count > 0,
      ),
    ),
    methods: facts.methods
      .map(({ service, name }) => ({
        method: `${service}/${name}`,
        ...part(`{service:${service},method:${name}}`),
      }))
      .filter(({ calls }) => calls > 0),
    steps: stepsOf(facts, durationMs, part),
    thresholds: thresholds.toSorted((a, b) => a.rule.localeCompare(b.rule)),
    checks: data.root_group.checks.map(({ name, fails }) => ({ rule: name, ok: fails === 0 })),
    figures: Object.fromEntries(
      FIGURES.flatMap((name) => {
        const values = data.metrics[name]?.values;
        return values ? [[name, values.count ?? values.max ?? 0]] : [];
      }),
    ),
    findings: [],
  };
}

/** Those that the run has got to. */
function stepsOf(
  { stepMs, rates }: RunFacts,
  durationMs: number,
  part: (tags: string) => Part,
): StepResult[] {
  return rates
    .map((wantedPerSecond, index) => {
      const startMs = index * stepMs;
      const found = part(`{step:${index}}`);
      const tookMs = index === rates.length - 1 ? stepMs : Math.min(stepMs, durationMs - startMs);
      return {
        startMs,
        ...found,
        callsPerSecond: perSecond(found.calls, tookMs),
        ...(wantedPerSecond !== undefined && { wantedPerSecond }),
      };
    })
    .filter(({ startMs }) => startMs < durationMs);
}

function perSecond(calls: number, ms: number): number {
  return ms > 0 ? (calls * 1_000) / ms : 0;
}
