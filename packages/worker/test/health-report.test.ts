import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@gantry/proto/grpc/health/v1/health_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { type HealthStatus, implement, unimplemented } from "../src/implement.ts";
import { createTestWorker } from "../src/testing.ts";

const handlers = {
  sum: unimplemented,
  version: unimplemented,
  divide: unimplemented,
  fibonacci: unimplemented,
  accumulate: unimplemented,
  runningSum: unimplemented,
} as const;

test("a service reports its own state, for its aliases too, and a Watch tells each change", async () => {
  let report: (status: HealthStatus) => void = () => assert.fail("the service was not given its reporter");
  const math = implement(MathService, handlers, {
    aliases: ["Math"],
    health: (given) => {
      report = given;
    },
  });
  await using worker = await createTestWorker({ services: [math] });
  const health = worker.client(Health);
  const statusOf = async (service: string) => (await health.check({ service })).status;

  assert.equal(await statusOf("math.v1.Math"), Status.SERVING);
  const seen: Status[] = [];
  for await (const { status } of health.watch({ service: "Math" })) {
    seen.push(status);
    if (seen.length === 1) report("NOT_SERVING");
    if (seen.length === 2) break;
  }
  assert.deepEqual(seen, [Status.SERVING, Status.NOT_SERVING]);
  assert.equal(await statusOf("math.v1.Math"), Status.NOT_SERVING);
  assert.equal(await statusOf(""), Status.SERVING, "the worker as a whole does not ask its services");
  report("SERVING");
  assert.equal(await statusOf("Math"), Status.SERVING);
});
