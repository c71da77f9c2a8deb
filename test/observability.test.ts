/** Dashboards, rules and alerts, held against a running system by a real Prometheus. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { needsCollector } from "./support/collector.ts";
import {
  type PanelQuery,
  panelQueries,
  readDashboards,
  ruleQueries,
  variableQueries,
  withValues,
} from "./support/dashboards.ts";
import { needsEtcd } from "./support/etcd-server.ts";
import { needsK6 } from "./support/load-run.ts";
import { hasEnvoy } from "./support/observed-envoy.ts";
import { startObservedSystem } from "./support/observed-system.ts";
import { startTraffic } from "./support/observed-traffic.ts";
import { requireProgram } from "./support/programs.ts";
import type { Sample } from "./support/prometheus.ts";
import { type Matcher, referencesOf } from "./support/promql.ts";
import { needsRedis } from "./support/redis-server.ts";

const needsPrometheus = requireProgram("prometheus", "apt-get install prometheus");
const needs = [needsPrometheus, needsRedis, needsEtcd, needsCollector, needsK6];
const { skip = false } = needs.find((each) => each.skip !== false) ?? {};

/** How long panels may take until the first traffic shows on all of them. */
const SHOWS_WITHIN_MS = 30_000;

const DASHBOARDS = readDashboards();
const PANELS = panelQueries(DASHBOARDS).filter(({ expr }) => hasEnvoy || !expr.includes("envoy_"));
const RULES = ruleQueries().filter(({ expr }) => hasEnvoy || !expr.includes("envoy_"));
const VARIABLES = variableQueries(DASHBOARDS).filter(
  ({ selector }) => hasEnvoy || !selector.includes("envoy_"),
);

test("what dashboards, rules and alerts ask for is there", { skip }, async (t) => {
  await using system = await startObservedSystem();
  await using _traffic = startTraffic(system);
  const { prometheus } = system;

  await t.test("every panel shows the traffic, each line by a name", async (t) => {
    const answers = await answersWithin(SHOWS_WITHIN_MS, PANELS);
    t.diagnostic(reportOf(answers));
    assert.deepEqual(
      answers.filter(({ samples }) => samples.length === 0).map(({ query }) => query),
      [],
      "panels that show nothing",
    );
    const nameless = answers.filter(({ query, samples }) =>
      samples.some(({ metric }) => labelsIn(query.legend).some((label) => !metric[label])),
    );
    assert.deepEqual(
      nameless.map(({ query }) => query),
      [],
      "lines whose names have holes",
    );
  });

  await t.test("every rule that records has a value", async () => {
    for (const { rule } of RULES.filter(({ records }) => records)) {
      assert.notDeepEqual(finite(await prometheus.query(rule)), [], rule);
    }
  });

  await t.test(
    "every query is one, and every metric and label in it is one that the system has",
    async () => {
      const queries = [
        ...PANELS.map(({ dashboard, panel, expr }) => ({ where: `${dashboard}: ${panel}`, expr })),
        ...RULES.map(({ rule, expr }) => ({ where: rule, expr })),
        ...VARIABLES.map(({ dashboard, variable, selector, label }) => ({
          where: `${dashboard}: $${variable}`,
          expr: `count by (${label}) (${selector})`,
        })),
      ];
      const problems: string[] = [];
      for (const { where, expr } of queries) {
        const { selectors, groupings } = referencesOf(await prometheus.format(withValues(expr)));
        const labels = new Set<string>();
        for (const { metric, matchers } of selectors) {
          const series = await prometheus.series(metric);
          if (series.length === 0) problems.push(`${where}: there is no metric ${metric}.`);
          for (const label of series.flatMap(Object.keys)) labels.add(label);
          for (const matcher of matchers) {
            for (const value of missing(matcher, series)) {
              problems.push(`${where}: ${metric} has no ${matcher.label}=${JSON.stringify(value)}.`);
            }
          }
        }
        for (const label of groupings) {
          if (label !== "le" && !labels.has(label))
            problems.push(`${where}: nothing in it has the label ${label}.`);
        }
      }
      assert.deepEqual(problems, []);
    },
  );

  await t.test("points over latencies lead to traces", async () => {
    for (const { expr } of PANELS.filter(({ exemplar }) => exemplar)) {
      const found = await prometheus.exemplars(withValues(expr));
      const [first] = found.flatMap(({ exemplars }) => exemplars);
      assert.ok(first, expr);
      await system.collector.received(({ traceId }) => traceId === first.labels.trace_id);
    }
  });

  /** Asks until every query has an answer, or the time is over. */
  async function answersWithin(timeoutMs: number, queries: readonly PanelQuery[]): Promise<Answer[]> {
    const until = performance.now() + timeoutMs;
    const answers = new Map<PanelQuery, readonly Sample[]>();
    do {
      for (const query of queries) {
        if (answers.get(query)?.length) continue;
        answers.set(query, finite(await prometheus.queryNow(withValues(query.expr))));
      }
      // Prometheus has no event for a scrape that is stored.
      await delay(200);
    } while ([...answers.values()].some(({ length }) => length === 0) && performance.now() < until);
    return [...answers].map(([query, samples]) => ({ query, samples }));
  }
});

interface Answer {
  readonly query: PanelQuery;
  readonly samples: readonly Sample[];
}

/** A quantile of nothing is NaN, and shows as nothing. */
function finite(samples: readonly Sample[]): Sample[] {
  return samples.filter(({ value: [, value] }) => Number.isFinite(Number(value)));
}

function labelsIn(legend: string): string[] {
  return [...legend.matchAll(/{{(\w+)}}/g)].map(([, label = ""]) => label);
}

/** Which values that a query asks for no series has. Others than these may be there or not. */
function missing({ label, operator, value }: Matcher, series: readonly Sample["metric"][]): string[] {
  const values = new Set(series.map((metric) => metric[label] ?? ""));
  const alternatives = /^[\w|]+$/.test(value) ? value.split("|") : [];
  const asked = operator === "=" || operator === "!=" ? [value] : alternatives;
  return asked.filter((each) => !values.has(each));
}

/** Panel, query, number of series. */
function reportOf(answers: readonly Answer[]): string {
  const lines = answers.map(
    ({ query: { dashboard, panel, expr }, samples }) =>
      `${dashboard} | ${panel} | ${expr} | ${samples.length}`,
  );
  return [`${answers.length} queries of panels: dashboard | panel | query | series`, ...lines].join("\n");
}
