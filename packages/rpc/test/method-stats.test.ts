import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "../src/code.ts";
import { LATENCY_BUCKETS, MethodStats } from "../src/method-stats.ts";

test("a call is counted once, under its status, in the bucket whose bound it does not pass", () => {
  const stats = new MethodStats();
  stats.inFlight = 1;
  assert.equal(stats.end(Code.NotFound, 0.005), 0, "a bound belongs to its bucket");
  assert.equal(stats.handled[Code.NotFound], 1);
  assert.equal(stats.inFlight, 0);
  assert.equal(stats.secondsSum, 0.005);
  assert.deepEqual(
    stats.buckets,
    stats.buckets.map((_, index) => (index === 0 ? 1 : 0)),
  );
});

test("a call faster than the first bound and one slower than the last have their buckets too", () => {
  const stats = new MethodStats();
  assert.equal(stats.end(Code.Ok, 0), 0);
  assert.equal(stats.end(Code.Ok, 0.0051), 1);
  assert.equal(stats.end(Code.Ok, 11), LATENCY_BUCKETS.length);
  assert.equal(stats.buckets.at(-1), 1);
});

test("a code that is none of gRPC's counts as UNKNOWN", () => {
  const stats = new MethodStats();
  for (const code of [17, -1, 1.5]) stats.end(code, 0);
  assert.equal(stats.handled[Code.Unknown], 3);
  assert.equal(stats.handled.length, 17);
});
