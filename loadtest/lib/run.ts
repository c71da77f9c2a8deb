/** What every scenario is made of: settings, options, calls that are measured, and a summary. */
import { check } from "k6";
import exec from "k6/execution";
import type { Options } from "k6/options";
import { type Answer, mismatch, OK, refusedByQuota } from "./answers.ts";
import { type Connections, grpcConnections, type OpenStream, type Tags } from "./connections.ts";
import { type Example, METHODS, type Method } from "./methods.ts";
import { calls, failed, quotaRefused } from "./metrics.ts";
import type { Plan } from "./plan.ts";
import type { Result } from "./report/result.ts";
import { type Summary, summarize } from "./report/summary.ts";
import { callRest } from "./rest.ts";
import { type Defaults, readSettings, type Settings } from "./settings.ts";
import { sloThresholds, type Thresholds } from "./slos.ts";

/** k6 has it, and its types do not. */
declare const console: { error(text: string): void };

export interface Scenario {
  readonly name: string;
  readonly defaults: Defaults;
  readonly plan: (settings: Settings) => Plan;
  /** Beside the services' objectives; undefined: these alone. */
  readonly thresholds?: (settings: Settings, services: readonly string[]) => Thresholds;
  /** Whether the objectives hold for the whole of the run. */
  readonly objectives: boolean;
  /** Whether refusals by quota are what is looked for. Default: one fails the run. */
  readonly refusals?: true;
  /** What is to be said of a run, in sentences. */
  readonly findings?: (result: Result, settings: Settings) => readonly string[];
}

export interface Run {
  readonly options: Options;
  readonly settings: Settings;
  readonly connections: Connections;
  /** The methods that this run may call. */
  readonly methods: readonly Method[];
  /** Calls a method as it is to be called, measures it, and tells what came. */
  call(method: Method, example: Example): Promise<Answer>;
  /** Calls without measuring: where failing is part of it. */
  attempt(method: Method, example: Example): Promise<Answer>;
  /** Calls and measures, and what came counts as a check of this name. */
  expect(name: string, method: Method, example: Example): Promise<void>;
  /** A stream that is left open, and measured when it ends. */
  open(method: Method): Promise<OpenStream>;
  /** An iteration of calls of all methods, by their weights. */
  mix(): Promise<void>;
  handleSummary(data: Summary): Record<string, string>;
}

export function prepare(scenario: Scenario): Run {
  const settings = readSettings(__ENV, scenario.defaults, (path) => open(path));
  const plan = scenario.plan(settings);
  const methods = METHODS.filter(({ service, internal, rest }) => {
    if (settings.services.length > 0 && !settings.services.includes(service)) return false;
    return settings.target === "grpc" || (!internal && (settings.target === "envoy" || rest !== undefined));
  });
  if (methods.length === 0) throw new Error(`SERVICES is ${settings.services}: no method is left to call.`);
  const services = [...new Set(methods.map(({ service }) => service))];
  const connections = grpcConnections(settings, methods);
  const lots = methods.flatMap((method) => Array.from({ length: method.weight ?? 0 }, () => method));
  const complained = new Set<string>();
  let made = 0;

  /** Of the time at which a call begins. */
  const tagsOf = ({ kind }: Method) => {
    const step = Math.floor(exec.instance.currentTestRunDuration / plan.stepMs);
    return { kind, step: `${Math.min(step, plan.rates.length - 1)}` };
  };

  const send = (method: Method, { requests }: Example, tags: Tags): Promise<Answer> => {
    const outgoing = { method, requests, tags };
    return settings.target === "rest" ? callRest(settings, outgoing) : connections.call(outgoing);
  };

  const record = (method: Method, answer: Answer, example: Example, tags: Tags) => {
    const all = { service: method.service, method: method.name, status: `${answer.code}`, ...tags };
    calls.add(1, all);
    if (refusedByQuota(answer)) quotaRefused.add(1, all);
    const fault = refusedByQuota(answer) ? undefined : mismatch(answer, example);
    failed.add(fault !== undefined, all);
    if (fault !== undefined) complain(method, fault);
  };

  /** The first fault of each method, of a few virtual users: one that repeats says nothing new. */
  const complain = ({ service, name }: Method, fault: string) => {
    if (exec.vu.idInTest > 3 || complained.has(name)) return;
    complained.add(name);
    console.error(`${service}/${name}: ${fault}`);
  };

  const run: Run = {
    settings,
    connections,
    methods,
    options: {
      scenarios: { [scenario.name]: plan.scenario },
      thresholds: {
        ...placeholders(methods, plan),
        ...(scenario.objectives && sloThresholds(services)),
        ...(!scenario.refusals && { quota_refused: ["count==0"] }),
        ...scenario.thresholds?.(settings, services),
      },
      systemTags: ["check", "group", "scenario", "service", "method", "status"],
      summaryTrendStats: ["min", "avg", "med", "p(95)", "p(99)", "max"],
      tags: { target: settings.target, ...(settings.testId !== "" && { testid: settings.testId }) },
    },

    async call(method, example) {
      const tags = tagsOf(method);
      const answer = await send(method, example, tags);
      record(method, answer, example, tags);
      return answer;
    },

    attempt: (method, example) => send(method, example, tagsOf(method)),

    async expect(name, method, example) {
      const answer = await run.call(method, example);
      check(answer, { [name]: (found) => mismatch(found, example) === undefined });
    },

    async open(method) {
      const tags = tagsOf(method);
      const stream = await connections.open({ method, requests: [], tags });
      void stream.answer.then((answer) => record(method, answer, { requests: [], code: OK }, tags));
      return stream;
    },

    async mix() {
      await Promise.all(
        Array.from({ length: settings.callsPerConnection }, () => {
          const method = lots[Math.floor(Math.random() * lots.length)];
          if (!method)
            throw new Error(`SERVICES is ${settings.services}: none of its methods is part of a mix.`);
          made += 1;
          return run.call(method, method.answered(`${scenario.name}-${exec.vu.idInTest}-${made}`));
        }),
      );
    },

    handleSummary: (data) =>
      summarize(data, {
        scenario: scenario.name,
        settings,
        plan,
        methods,
        findings: (result) => scenario.findings?.(result, settings) ?? [],
      }),
  };
  return run;
}

/** k6 tells a summary of a part of the calls only where a threshold asks for it. These hold always. */
function placeholders(methods: readonly Method[], { rates }: Plan): Thresholds {
  const parts = [
    ...methods.map(({ service, name }) => `service:${service},method:${name}`),
    ...rates.map((_, step) => `step:${step}`),
  ];
  const codes = Array.from({ length: 17 }, (_, code) => [`grpc_reqs{status:${code}}`, ["count>=0"]]);
  return Object.fromEntries([
    ...codes,
    ...parts.flatMap((part) => [
      [`grpc_req_duration{${part}}`, ["max>=0"]],
      [`grpc_reqs{${part}}`, ["count>=0"]],
      [`grpc_req_failed{${part}}`, ["rate>=0"]],
    ]),
  ]);
}
