import assert from "node:assert/strict";
import { test } from "node:test";
import { runToExit } from "../../../test/support/worker-process.ts";
import { readGatewaySettings } from "../src/settings.ts";

const TARGETS = { greeter: "dns:///localhost:50051", math: "dns:///localhost:50052" };

test("each worker has a target of its own, and defaults hold for the rest", () => {
  const { channels, timeoutMs, maxSockets, problems } = readGatewaySettings(
    { MATH_TARGET: "ipv4:10.0.0.1:7,10.0.0.2:7", UPSTREAM_TIMEOUT: "" },
    TARGETS,
  );
  assert.equal(channels.greeter.target, TARGETS.greeter);
  assert.equal(channels.math.target, "ipv4:10.0.0.1:7,10.0.0.2:7");
  assert.deepEqual(
    { timeoutMs, maxSockets, problems },
    { timeoutMs: 10_000, maxSockets: 10_000, problems: [] },
  );
});

for (const [name, value] of [
  ["GREETER_TARGET", "http://greeter"],
  ["UPSTREAM_TIMEOUT", "soon"],
  ["UPSTREAM_TIMEOUT", "0s"],
  ["MAX_SOCKETS", "0"],
  ["MAX_SOCKETS", "many"],
  ["UPSTREAM_TLS_CA", "/no/such/file"],
  ["UPSTREAM_TLS_CERT", import.meta.filename],
  ["UPSTREAM_TLS_CA", import.meta.filename],
] as const) {
  test(`${name}=${value.replace(import.meta.dirname, "")} is wrong, and named`, () => {
    const { problems } = readGatewaySettings({ [name]: value }, TARGETS);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", new RegExp(name));
  });
}

test("wrong settings, the gateway's own and the runtime's, end the start with 78 and a list of them all", async () => {
  const settings = { GREETER_TARGET: "http://greeter", UPSTREAM_TIMEOUT: "soon", DRAIN_TIMEOUT: "later" };
  const { code, stderr } = await runToExit("gateway", settings);
  assert.equal(code, 78);
  assert.match(stderr, /3 settings are wrong/);
  for (const name of Object.keys(settings)) assert.match(stderr, new RegExp(`^ +${name} is `, "m"));
});
