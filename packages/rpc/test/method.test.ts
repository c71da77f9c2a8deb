import assert from "node:assert/strict";
import { test } from "node:test";
import { Health } from "@gantry/proto/grpc/health/v1/health_pb.js";
import { methodName, methodPath } from "@gantry/rpc";

test("a method is named by its service and its own name, on the wire with a slash before it", () => {
  assert.equal(methodName(Health.method.check), "grpc.health.v1.Health/Check");
  assert.equal(methodPath(Health.method.check), "/grpc.health.v1.Health/Check");
});
