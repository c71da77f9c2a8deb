import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import {
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  Health as HealthService,
} from "@gantry/proto/grpc/health/v1/health_pb.js";
import { Code } from "@gantry/rpc";
import { createHealth } from "../src/health/health.ts";
import { clientOf } from "./support/client-of.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
const GREETER = "greeter.v1.Greeter";
const MATH = "math.v1.Math";

function healthOf({ serving }: { serving: boolean }) {
  const health = createHealth([
    { name: GREETER, aliases: ["Greeter", "pb.Greeter"] },
    { name: MATH, aliases: [] },
  ]);
  if (serving) health.setWorkerServing(true);
  const { client, calls } = clientOf(HealthService, health.implementation);
  const check = async (service: string) => (await client.check({ service })).status;
  const watch = (service: string) => client.watch({ service })[Symbol.asyncIterator]();
  return { health, client, calls, check, watch };
}

async function statusOf(next: Promise<IteratorResult<HealthCheckResponse>>) {
  const { done, value } = await next;
  assert.ok(!done, "the Watch has ended");
  return value.status;
}

test("liveness is SERVING before the worker serves, while it does and after, and is no service of a list", async () => {
  const { health, client, check } = healthOf({ serving: false });
  assert.equal(await check("liveness"), SERVING);
  health.setWorkerServing(true);
  assert.equal(await check("liveness"), SERVING);
  health.setWorkerServing(false);
  health.endWatches();
  assert.equal(await check("liveness"), SERVING);
  assert.ok(!("liveness" in (await client.list({})).statuses));
});

test("a worker that serves, its services and their aliases are SERVING", async () => {
  const { health, check } = healthOf({ serving: true });
  for (const service of ["", GREETER, "Greeter", "pb.Greeter", MATH]) {
    assert.equal(await check(service), SERVING, service);
  }
  assert.ok(health.isServing());
  assert.ok(health.isServing("pb.Greeter"));
});

test("a worker that starts is NOT_SERVING for every service, whatever the service says", async () => {
  const { health, check } = healthOf({ serving: false });
  health.report(GREETER, "SERVING");
  for (const service of ["", GREETER, "Greeter", MATH])
    assert.equal(await check(service), NOT_SERVING, service);
  assert.ok(!health.isServing());
});

test("a worker that drains is NOT_SERVING for every service, whatever the service says", async () => {
  const { health, check } = healthOf({ serving: true });
  health.setWorkerServing(false);
  health.report(GREETER, "SERVING");
  for (const service of ["", GREETER, "Greeter", MATH])
    assert.equal(await check(service), NOT_SERVING, service);
});

test("Check of a service that is not there is NOT_FOUND and says which", async () => {
  const { check } = healthOf({ serving: true });
  await assert.rejects(check("greeter.v1.greeter"), {
    code: Code.NotFound,
    message: 'There is no service "greeter.v1.greeter" on this worker.',
  });
});

test("what a service says of itself counts for it and its aliases, and for nobody else", async () => {
  const { health, check } = healthOf({ serving: true });
  health.report(GREETER, "NOT_SERVING");
  assert.equal(await check(GREETER), NOT_SERVING);
  assert.equal(await check("pb.Greeter"), NOT_SERVING);
  assert.equal(await check(MATH), SERVING);
  assert.equal(await check(""), SERVING);
  health.report(GREETER, "SERVING");
  assert.equal(await check("pb.Greeter"), SERVING);
});

test("the state of a service that is not there, or of the whole worker, cannot be reported", () => {
  const { health } = healthOf({ serving: true });
  for (const service of ["acme.v1.Unknown", ""]) {
    assert.throws(() => health.report(service, "SERVING"), { name: "TypeError", message: /no service/ });
  }
});

test("List tells of the worker, every service and every alias", async () => {
  const { health, client } = healthOf({ serving: true });
  health.report(MATH, "NOT_SERVING");
  const { statuses } = await client.list({});
  const byName = Object.fromEntries(Object.entries(statuses).map(([name, { status }]) => [name, status]));
  assert.deepEqual(byName, {
    "": SERVING,
    [GREETER]: SERVING,
    Greeter: SERVING,
    "pb.Greeter": SERVING,
    [MATH]: NOT_SERVING,
  });
});

test("Watch tells the status at once, then each change and nothing else", async () => {
  const { health, watch } = healthOf({ serving: false });
  const greeter = watch("Greeter");
  assert.equal(await statusOf(greeter.next()), NOT_SERVING);

  let next = greeter.next();
  health.setWorkerServing(true);
  assert.equal(await statusOf(next), SERVING);

  next = greeter.next();
  health.report(GREETER, "SERVING");
  health.report(MATH, "NOT_SERVING");
  await new Promise(setImmediate);
  health.report(GREETER, "NOT_SERVING");
  assert.equal(await statusOf(next), NOT_SERVING, "what was no change for this service was not told");
  await greeter.return?.();
});

test("Watch of a service that is not there says so and stays open", async () => {
  const { health, watch, calls } = healthOf({ serving: true });
  const unknown = watch("acme.v1.Unknown");
  assert.equal(await statusOf(unknown.next()), SERVICE_UNKNOWN);

  const next = unknown.next();
  health.setWorkerServing(false);
  await new Promise(setImmediate);
  assert.equal(calls.size, 1, "the call is open");
  health.endWatches();
  await assert.rejects(next, { code: Code.Unavailable });
});

test("a client that reads slowly is told the newest status, not the history", async () => {
  const { health, watch } = healthOf({ serving: true });
  const slow = watch("");
  assert.equal(await statusOf(slow.next()), SERVING);

  for (let i = 0; i < 1_000; i += 1) health.setWorkerServing(i % 2 === 1);
  const next = slow.next();
  await new Promise(setImmediate);
  health.setWorkerServing(false);
  assert.equal(
    await statusOf(next),
    NOT_SERVING,
    "a thousand flips that ended where they began were no change",
  );

  health.setWorkerServing(true);
  health.setWorkerServing(false);
  health.setWorkerServing(true);
  assert.equal(await statusOf(slow.next()), SERVING);
  await slow.return?.();
});

test("the drain tells every Watch NOT_SERVING first, then ends it with UNAVAILABLE", async () => {
  const { health, watch, calls } = healthOf({ serving: true });
  const watches = ["", GREETER, "pb.Greeter", MATH].map(watch);
  for (const each of watches) assert.equal(await statusOf(each.next()), SERVING);

  const nexts = watches.map((each) => each.next());
  health.setWorkerServing(false);
  health.endWatches();

  for (const next of nexts) assert.equal(await statusOf(next), NOT_SERVING);
  for (const each of watches) {
    await assert.rejects(each.next(), { code: Code.Unavailable, message: "The worker is stopping." });
  }
  assert.equal(calls.size, 0);
});

test("a Watch that comes while the worker stops is told NOT_SERVING and ends", async () => {
  const { health, watch } = healthOf({ serving: true });
  health.setWorkerServing(false);
  health.endWatches();
  const late = watch(GREETER);
  assert.equal(await statusOf(late.next()), NOT_SERVING);
  await assert.rejects(late.next(), { code: Code.Unavailable });
});

test("a Watch whose client has left ends and leaves nothing behind", async () => {
  const { client, calls } = healthOf({ serving: true });
  const leaving = new AbortController();
  const watch = client.watch({ service: "" }, { signal: leaving.signal })[Symbol.asyncIterator]();
  await watch.next();
  const next = watch.next();
  const [call] = calls;
  assert.ok(call);
  await new Promise(setImmediate);
  assert.equal(getEventListeners(call.signal, "abort").length, 1);

  leaving.abort();

  await assert.rejects(next, { code: Code.Cancelled });
  assert.equal(calls.size, 0);
  assert.equal(getEventListeners(call.signal, "abort").length, 0);
});
