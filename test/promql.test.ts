import assert from "node:assert/strict";
import { test } from "node:test";
import { referencesOf } from "./support/promql.ts";

test("metrics, what is asked of their labels, and labels to group by are found wherever they stand", () => {
  const { selectors, groupings } = referencesOf(
    'topk(10, sum by (le, pod) (rate(a_total{x="1",y=~"b{c}"}[5m])) / on (pod) group_left () (b:c:d > 0.5 or vector(1) unless e offset 1h))',
  );
  assert.deepEqual(selectors, [
    {
      metric: "a_total",
      matchers: [
        { label: "x", operator: "=", value: "1" },
        { label: "y", operator: "=~", value: "b{c}" },
      ],
    },
    { metric: "b:c:d", matchers: [] },
    { metric: "e", matchers: [] },
  ]);
  assert.deepEqual(groupings, ["le", "pod", "pod"]);
});

test("an aggregation before its labels is no metric", () => {
  assert.deepEqual(referencesOf("count by (worker) (up)").selectors, [{ metric: "up", matchers: [] }]);
});
