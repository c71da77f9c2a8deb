import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { inTime, LateError } from "../src/quota/in-time.ts";

test("a worker that is busy does not take its store for slow", async () => {
  const answer = new Promise<string>((resolve) => randomBytes(16, () => resolve("in time")));
  const waited = inTime(answer, 20);
  const busyUntil = performance.now() + 100;
  while (performance.now() < busyUntil) {
    // The answer comes meanwhile, and is read afterwards.
  }
  assert.equal(await waited, "in time");
});

test("what does not come in time is late, and no sooner than the time is up", async () => {
  const startedAt = performance.now();
  await assert.rejects(inTime(new Promise(() => {}), 20), LateError);
  assert.ok(performance.now() - startedAt >= 19);
});
