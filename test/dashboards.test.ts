/** What can be said of dashboards, rules and alerts without running what they look at. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readObjectives } from "@gantry/observability/slos";
import { parse } from "yaml";
import { readDashboards, ruleQueries } from "./support/dashboards.ts";
import { needsPromtool, promtool } from "./support/promtool.ts";
import { ROOT } from "./support/worker-process.ts";

const FOLDER = join(ROOT, "observability");
const DASHBOARDS = readDashboards();
const readYaml = (path: string) => parse(readFileSync(join(FOLDER, path), "utf8"));

for (const { title, panels, templating, links } of DASHBOARDS) {
  const shown = panels.filter(({ type }) => type !== "row");

  test(`${title}: every panel says what it shows, in which unit, from the data source that is chosen`, () => {
    assert.ok(shown.length > 0);
    for (const { title: panel, description, datasource, fieldConfig, targets = [] } of shown) {
      const { unit, thresholds } = fieldConfig?.defaults ?? {};
      assert.match(description ?? "", /^\S.*\.$/, panel);
      assert.ok(unit && thresholds, panel);
      assert.ok(targets.length > 0, panel);
      for (const { uid } of [datasource, ...targets.map((target) => target.datasource)].map(Object)) {
        assert.equal(uid, "$datasource", panel);
      }
    }
    assert.equal(new Set(shown.map(({ title: panel }) => panel)).size, shown.length, "titles are unique");
  });

  test(`${title}: its variables are chosen at the top, and every one of them is used`, () => {
    const names = templating.list.map(({ name }) => name);
    assert.equal(names[0], "datasource");
    const text = JSON.stringify([panels, templating]);
    for (const name of names) assert.ok(text.includes(`$${name}`), name);
    const known = new Set([...names, "__rate_interval", "__all"]);
    for (const [, name = ""] of text.matchAll(/\$(\w+)/g)) assert.ok(known.has(name), name);
  });

  test(`${title}: it leads to the other dashboards, to traces and to logs`, () => {
    assert.deepEqual(
      links.map((link) => link.title),
      ["Gantry", "Traces", "Logs"],
    );
  });
}

test("every alert has a severity, a summary and a page that says what to look at and what to do", () => {
  const alerts = readYaml("rules/gantry.yaml").groups.flatMap(
    Object(({ rules }: { rules: unknown }) => rules),
  );
  const pages = new Set<string>();
  for (const { alert, labels, annotations } of alerts.filter((rule: object) => "alert" in rule)) {
    assert.match(labels.severity, /^(critical|warning)$/, alert);
    assert.match(annotations.summary, /\.$/, alert);
    const page = readFileSync(join(ROOT, annotations.runbook_url), "utf8");
    assert.match(page, new RegExp(`^# ${alert}\n[^]*\\*\\*Look at\\*\\*[^]*\\*\\*Do\\*\\*`), alert);
    pages.add(annotations.runbook_url);
  }
  assert.deepEqual(globSync("docs/runbooks/*.md", { cwd: ROOT }).sort(), [...pages].sort());
});

test("alerts fire on the series that they are for, and on no others", needsPromtool, async () => {
  const files = globSync("observability/rule-tests/*.yaml", { cwd: ROOT });
  await promtool("test", "rules", ...files);
  const tested = files.map((file) => readFileSync(join(ROOT, file), "utf8")).join("");
  for (const { rule, records } of ruleQueries()) {
    assert.ok(records || tested.includes(`runbooks/${rule}.md`), `${rule} has no test in which it fires`);
  }
});

test("promtool has no complaint about the rules and Prometheus's configuration", needsPromtool, async () => {
  await promtool("check", "rules", "--lint-fatal", "observability/rules/gantry.yaml");
  await promtool("check", "config", "--syntax-only", "observability/prometheus/prometheus.yaml");
});

test("the Operator gets the same rules", () => {
  const { kind, spec } = readYaml("rules/prometheus-rule.yaml");
  assert.equal(kind, "PrometheusRule");
  assert.deepEqual(spec.groups, readYaml("rules/gantry.yaml").groups);
});

test("the Collector takes for slow what the strictest objective does", () => {
  const { policies } = readYaml("collector/collector.yaml").processors.tail_sampling;
  const slow = policies.find(({ type }: { type: string }) => type === "latency");
  assert.equal(slow.latency.threshold_ms, Math.min(...readObjectives().map(({ latency }) => latency.ms)));
});

test("an objective that makes no sense is refused by name", () => {
  const good = { availability: 0.999, latency: { ms: 100, ratio: 0.99 } };
  assert.throws(
    () => readObjectives({ "greeter.v1.Greeter": { ...good, availability: 99.9 }, "math.v1.Math": good }),
    /slos\.json: availability of greeter\.v1\.Greeter is 99\.9: expected a share between 0 and 1\./,
  );
  assert.throws(() => readObjectives({ "shop.v1.Shop": good }), /slos\.json names shop\.v1\.Shop, of which/);
});

test("what compose.yaml mounts is there, and Grafana's links between data sources lead somewhere", () => {
  const { services } = readYaml("compose.yaml");
  const mounts = Object.values<{ volumes?: readonly string[] }>(services).flatMap(
    ({ volumes = [] }) => volumes,
  );
  for (const path of mounts
    .map((mount) => mount.split(":")[0] ?? "")
    .filter((each) => each.startsWith("./"))) {
    assert.ok(existsSync(join(FOLDER, path)), path);
  }
  const { datasources } = readYaml("grafana/provisioning/datasources/gantry.yaml");
  const uids = new Set(datasources.map(({ uid }: { uid: string }) => uid));
  for (const [, uid] of JSON.stringify(datasources).matchAll(/"datasourceUid":"(\w+)"/g))
    assert.ok(uids.has(uid));
});
