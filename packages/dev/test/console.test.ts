import assert from "node:assert/strict";
import { test } from "node:test";
import { planConsole } from "../src/workers/console.ts";
import type { Plan } from "../src/workers/plan.ts";

function plan(name: string, port: number, env: NodeJS.ProcessEnv = {}): Plan {
  const worker = { name, protocol: "gRPC", port, adminPort: port + 1 };
  return { worker, host: env.HOST ?? "127.0.0.1", port, adminPort: port + 1, env };
}

test("the gateway is told of every worker, and workers send their spans to it", () => {
  const { plans, console } = planConsole([plan("greeter", 1), plan("gateway", 3)]);
  const [greeter, gateway] = plans;
  assert.equal(console?.url, "http://127.0.0.1:3/console");
  assert.equal(gateway?.env.CONSOLE, "on");
  assert.equal(
    gateway?.env.CONSOLE_WORKERS,
    "greeter=127.0.0.1:1=127.0.0.1:2,gateway=127.0.0.1:3=127.0.0.1:4",
  );
  assert.equal(greeter?.env.CONSOLE, undefined);
  assert.equal(greeter?.env.OTEL_EXPORTER_OTLP_ENDPOINT, "http://127.0.0.1:3/console/feed");
  assert.equal(
    greeter?.env.OTEL_EXPORTER_OTLP_HEADERS,
    `authorization=Bearer%20${gateway?.env.CONSOLE_FEED_TOKEN}`,
  );
});

test("who has said where spans go keeps that", () => {
  const { plans } = planConsole([plan("greeter", 1, { OTEL_TRACES_EXPORTER: "none" }), plan("gateway", 3)]);
  assert.equal(plans[0]?.env.OTEL_EXPORTER_OTLP_ENDPOINT, undefined);
});

test("there is none where it is turned off, or where others reach it and nobody has to say who they are", () => {
  const consoleOf = (env: NodeJS.ProcessEnv) => planConsole([plan("gateway", 3, env)]).console;
  assert.equal(consoleOf({ CONSOLE: "off" }), undefined);
  assert.equal(consoleOf({ HOST: "0.0.0.0" }), undefined);
  assert.ok(consoleOf({ HOST: "0.0.0.0", AUTH_FILE: "auth.yaml" }));
});
