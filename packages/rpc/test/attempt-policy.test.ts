import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createFileRegistry, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel as Level,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { PolicySchema, policy as policyOption } from "@gantry/proto/gantry/v1/policy_pb.js";
import { attemptPolicyOf, Code, durationOfMs } from "@gantry/rpc";

/** The policy of a method whose contract says so beside it, and what is wrong with that. */
function read(
  words?: MessageInitShape<typeof PolicySchema>,
  { level = Level.NO_SIDE_EFFECTS, clientStreaming = false } = {},
) {
  const options = create(MethodOptionsSchema, { idempotencyLevel: level });
  if (words) setExtension(options, policyOption, create(PolicySchema, words));
  const types = { inputType: ".test.Nothing", outputType: ".test.Nothing" };
  const file = create(FileDescriptorProtoSchema, {
    name: "test.proto",
    package: "test",
    syntax: "proto3",
    messageType: [{ name: "Nothing" }],
    service: [{ name: "Test", method: [{ name: "Try", ...types, clientStreaming, options }] }],
  });
  const [method] = createFileRegistry(file, () => undefined).getService("test.Test")?.methods ?? [];
  assert.ok(method);
  const problems: string[] = [];
  return { ...attemptPolicyOf(method, problems), problems };
}

const DEFAULTS = {
  maxAttempts: 3,
  initialBackoffMs: 50,
  maxBackoffMs: 1_000,
  codes: new Set([Code.Unavailable]),
};

test("what may be done twice is retried where it was UNAVAILABLE, and nothing is hedged", () => {
  for (const level of [Level.NO_SIDE_EFFECTS, Level.IDEMPOTENT]) {
    assert.deepEqual(read(undefined, { level }), { retry: DEFAULTS, hedging: undefined, problems: [] });
  }
});

test("what may not be done twice is retried for no code", () => {
  const { retry } = read(undefined, { level: Level.IDEMPOTENCY_UNKNOWN });
  assert.deepEqual(retry, { ...DEFAULTS, codes: new Set() });
});

test("what a policy of retries leaves out is the default, whatever the method does", () => {
  for (const level of [Level.NO_SIDE_EFFECTS, Level.IDEMPOTENCY_UNKNOWN]) {
    assert.deepEqual(read({ retry: {} }, { level }), { retry: DEFAULTS, hedging: undefined, problems: [] });
  }
});

test("a policy of retries is taken as it stands", () => {
  const codes = [Code.Aborted, Code.ResourceExhausted];
  const { retry, problems } = read({
    retry: { maxAttempts: 5, initialBackoff: durationOfMs(10), maxBackoff: durationOfMs(20), codes },
  });
  assert.deepEqual(retry, { maxAttempts: 5, initialBackoffMs: 10, maxBackoffMs: 20, codes: new Set(codes) });
  assert.deepEqual(problems, []);
});

test("one of the two pauses alone bounds the other", () => {
  const { retry: long } = read({ retry: { initialBackoff: durationOfMs(5_000) } });
  assert.deepEqual([long.initialBackoffMs, long.maxBackoffMs], [5_000, 5_000]);
  const { retry: short } = read({ retry: { maxBackoff: durationOfMs(20) } });
  assert.deepEqual([short.initialBackoffMs, short.maxBackoffMs], [20, 20]);
});

test("everything that is wrong with a policy of retries is told", () => {
  const { problems } = read({
    retry: {
      maxAttempts: 6,
      initialBackoff: durationOfMs(10),
      maxBackoff: durationOfMs(0),
      // The second is what a contract may hold that was compiled with codes of its own.
      codes: [Code.Ok, 99 as Code],
    },
  });
  assert.deepEqual(problems, [
    "retry.max_attempts is 6: expected 1 to 5",
    "retry.max_backoff is 0ms: expected at least 1ms",
    "retry.max_backoff is 0ms, and initial_backoff 10ms: expected no less than that",
    "retry.codes names OK: expected codes of failures",
    "retry.codes names CODE(99): expected codes of failures",
  ]);
});

test("hedging is two attempts where a policy says no more than its delay", () => {
  const { hedging, problems } = read({ hedging: { delay: durationOfMs(30) } });
  assert.deepEqual(hedging, { maxAttempts: 2, delayMs: 30 });
  assert.deepEqual(problems, []);
});

test("everything that is wrong with a policy of hedging is told", () => {
  assert.deepEqual(read({ hedging: { maxAttempts: 1, delay: durationOfMs(0) } }).problems, [
    "hedging.max_attempts is 1: expected 2 to 5",
    "hedging.delay is 0ms: expected at least 1ms",
  ]);
  const unlawful = { level: Level.IDEMPOTENCY_UNKNOWN, clientStreaming: true };
  assert.deepEqual(read({ hedging: {} }, unlawful).problems, [
    "hedging makes calls more than once: expected idempotency_level NO_SIDE_EFFECTS or IDEMPOTENT beside it",
    "hedging is for methods that take one request message, and this one streams them",
    "hedging has no delay: expected a duration of at least 1ms",
  ]);
});
