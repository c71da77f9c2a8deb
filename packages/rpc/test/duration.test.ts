import assert from "node:assert/strict";
import { test } from "node:test";
import { durationMs, durationOfMs, formatDurationMs, parseDurationMs } from "@gantry/rpc";

test("a duration is a number and its unit", () => {
  assert.equal(parseDurationMs("250ms"), 250);
  assert.equal(parseDurationMs("2s"), 2_000);
  assert.equal(parseDurationMs("1.5m"), 90_000);
  assert.equal(parseDurationMs(" 1h "), 3_600_000);
  assert.equal(parseDurationMs("0s"), 0);
});

test("a fraction is read without the error of floating-point products", () => {
  assert.equal(parseDurationMs("1.005s"), 1_005);
  assert.equal(parseDurationMs("0.0005ms"), 0.0005);
});

test("what is no duration is undefined", () => {
  for (const text of ["", "5", "s", "-1s", "1 s", "1.s", ".5s", "1d", "1e3s", "1s2s", "Infinitys", "١s"]) {
    assert.equal(parseDurationMs(text), undefined, text);
  }
});

test("a duration is written as people read it, in whole milliseconds, never shorter than it is", () => {
  assert.equal(formatDurationMs(0), "0ms");
  assert.equal(formatDurationMs(0.2), "1ms");
  assert.equal(formatDurationMs(250), "250ms");
  assert.equal(formatDurationMs(999.5), "1s");
  assert.equal(formatDurationMs(1_500), "1.5s");
  assert.equal(formatDurationMs(1_000.2), "1.001s");
  assert.equal(formatDurationMs(3_600_000), "3600s");
});

test("what is written is read back", () => {
  for (const ms of [1, 999, 1_000, 1_234, 60_000, 86_400_000]) {
    assert.equal(parseDurationMs(formatDurationMs(ms)), ms);
  }
});

test("a protobuf duration holds the milliseconds exactly", () => {
  const cases: [ms: number, seconds: bigint, nanos: number][] = [
    [0, 0n, 0],
    [0.1, 0n, 100_000],
    [250, 0n, 250_000_000],
    [1_000.1, 1n, 100_000],
    [61_001, 61n, 1_000_000],
    [30 * 86_400_000 + 1, 2_592_000n, 1_000_000],
  ];
  for (const [ms, seconds, nanos] of cases) {
    const duration = durationOfMs(ms);
    assert.deepEqual([duration.seconds, duration.nanos], [seconds, nanos], `${ms}ms`);
    assert.equal(durationMs(duration), ms);
  }
});

test("a part of a nanosecond is rounded up, into the next second if need be", () => {
  assert.equal(durationOfMs(0.000_000_4).nanos, 1);
  const almost = durationOfMs(999.999_999_9);
  assert.deepEqual([almost.seconds, almost.nanos], [1n, 0]);
});
