import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import type { LocalWorker } from "../src/workers/list.ts";
import { PlanError, planWorkers } from "../src/workers/plan.ts";

const workers: readonly LocalWorker[] = [
  { name: "greeter", protocol: "gRPC", port: 0, adminPort: 0 },
  { name: "math", protocol: "gRPC", port: 0, adminPort: 0 },
];

test("every worker gets ports of its own where 0 asks for any", async () => {
  const plans = await planWorkers(workers, {});
  const ports = plans.flatMap(({ port, adminPort }) => [port, adminPort]);
  assert.equal(new Set(ports).size, 4);
  assert.ok(ports.every((port) => port > 0));
});

test("a setting that begins with a worker's name is for that worker, and goes before everybody's", async () => {
  const env = { LOG_LEVEL: "warn", GREETER_LOG_LEVEL: "debug", MATH_POLICY_FILE: "strict.yaml", PORT: "1" };
  const [greeter, math] = await planWorkers(workers, env);
  assert.equal(greeter?.env.LOG_LEVEL, "debug");
  assert.equal(greeter?.env.POLICY_FILE, undefined);
  assert.equal(greeter?.env.PORT, String(greeter?.port));
  assert.equal(math?.env.LOG_LEVEL, "warn");
  assert.equal(math?.env.POLICY_FILE, "strict.yaml");
});

test("a worker that calls others is told where they are, unless a setting says so", async () => {
  const gateway = { name: "gateway", protocol: "HTTP", port: 0, adminPort: 0, calls: ["greeter", "math"] };
  const env = { HOST: "0.0.0.0", MATH_TARGET: "dns:///math.example:1" };
  const [greeter, , planned] = await planWorkers([...workers, gateway], env);
  assert.equal(planned?.env.GREETER_TARGET, `127.0.0.1:${greeter?.port}`);
  assert.equal(planned?.env.MATH_TARGET, "dns:///math.example:1");
  assert.equal(greeter?.env.GREETER_TARGET, undefined);
});

test("ports that are wrong are listed all at once, with the exit code of a wrong setting", async () => {
  await assert.rejects(planWorkers(workers, { GREETER_PORT: "http", MATH_ADMIN_PORT: "70000" }), (error) => {
    assert.ok(error instanceof PlanError);
    assert.equal(error.exitCode, 78);
    assert.deepEqual(error.message.split("\n"), [
      'GREETER_PORT is "http": expected a port from 1 to 65535, or 0 for any free one.',
      'MATH_ADMIN_PORT is "70000": expected a port from 1 to 65535, or 0 for any free one.',
    ]);
    return true;
  });
});

test("ports that are taken are listed all at once, each with the setting that changes it", async () => {
  await using other = await listener();
  const env = { GREETER_PORT: String(other.port), MATH_ADMIN_PORT: String(other.port) };
  await assert.rejects(planWorkers(workers, env), (error) => {
    assert.ok(error instanceof PlanError);
    assert.equal(error.exitCode, 1);
    assert.deepEqual(error.message.split("\n"), [
      `Port ${other.port} on 127.0.0.1 is taken: choose another one with GREETER_PORT, as in: GREETER_PORT=0 npm start`,
      `Port ${other.port} on 127.0.0.1 is taken: choose another one with MATH_ADMIN_PORT, as in: MATH_ADMIN_PORT=0 npm start`,
    ]);
    return true;
  });
});

async function listener(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
