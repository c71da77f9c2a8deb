import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type HealthCheckRequest,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "@gantry/proto/grpc/health/v1/health_pb.js";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { greeterWorker } from "./support/greeter.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

/** A Watch by a plain gRPC client. */
function watch(port: number, service: string) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = client.makeServerStreamRequest<HealthCheckRequest, HealthCheckResponse>(
    "/grpc.health.v1.Health/Watch",
    (request) => Buffer.from(toBinary(HealthCheckRequestSchema, request)),
    (bytes) => fromBinary(HealthCheckResponseSchema, bytes),
    create(HealthCheckRequestSchema, { service }),
  );
  const ended = new Promise<ServiceError>((resolve) => call.once("error", resolve));
  const next = () =>
    new Promise((resolve) => call.once("data", (message: HealthCheckResponse) => resolve(message.status)));
  return { next, ended, [Symbol.dispose]: () => client.close() };
}

test("Watches by a plain gRPC client are told of the drain, ended, and do not hold it up", async () => {
  await using worker = await greeterWorker();
  using whole = watch(worker.port, "");
  using alias = watch(worker.port, "pb.Greeter");
  using unknown = watch(worker.port, "acme.v1.Unknown");
  assert.deepEqual(await Promise.all([whole.next(), alias.next(), unknown.next()]), [
    SERVING,
    SERVING,
    SERVICE_UNKNOWN,
  ]);

  const before = performance.now();
  const told = Promise.all([whole.next(), alias.next()]);
  const stopped = worker.stop();

  assert.deepEqual(await told, [NOT_SERVING, NOT_SERVING]);
  for (const each of [whole, alias, unknown]) {
    const { code, details } = await each.ended;
    assert.equal(code, status.UNAVAILABLE);
    assert.equal(details, "The worker is stopping.");
  }
  await stopped;
  assert.ok(performance.now() - before < 5_000, "long before DRAIN_TIMEOUT");
});
