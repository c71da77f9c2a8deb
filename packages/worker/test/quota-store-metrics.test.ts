import assert from "node:assert/strict";
import { test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { createMetrics } from "../src/metrics/exposition.ts";
import { QuotaStoreStats } from "../src/quota/store-stats.ts";
import { statsOf } from "./support/stats.ts";

async function linesOf(quotaStore: QuotaStoreStats | undefined): Promise<string[]> {
  const render = createMetrics({ ...statsOf(Greeter), quotaStore }, { name: "greeter", version: "1.2.3" });
  const { body } = await render(undefined);
  return body.split("\n").filter((line) => line.startsWith("gantry_quota_store"));
}

test("a shared store's figures are there from the start, at zero", async () => {
  const lines = await linesOf(new QuotaStoreStats());
  assert.deepEqual(
    lines.filter((line) => !line.includes("_bucket")),
    [
      "gantry_quota_store_seconds_sum 0",
      "gantry_quota_store_seconds_count 0",
      'gantry_quota_store_fallbacks_total{reason="timeout"} 0',
      'gantry_quota_store_fallbacks_total{reason="error"} 0',
      "gantry_quota_store_up 0",
    ],
  );
});

test("answers are counted in every bucket that they fit into, up to +Inf", async () => {
  const stats = new QuotaStoreStats();
  for (const seconds of [0.000_2, 0.02, 0.021, 30]) stats.answered(seconds);
  const counts = Object.fromEntries(
    (await linesOf(stats)).map((line) => [/le="([^"]+)"/.exec(line)?.[1], Number(line.split(" ")[1])]),
  );
  assert.deepEqual(
    ["0.00025", "0.01", "0.02", "0.05", "1.0", "+Inf"].map((bound) => counts[bound]),
    [1, 1, 2, 3, 3, 4],
  );
});

test("a worker that counts in its own memory has no such figures", async () => {
  assert.deepEqual(await linesOf(undefined), []);
});
