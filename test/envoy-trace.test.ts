import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { needsCollector, startCollector } from "./support/collector.ts";
import { needsEdge, startEdge } from "./support/edge.ts";
import { connect, serviceOf } from "./support/plain-client.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";

const needs = needsEdge().skip ? needsEdge() : needsCollector;

test("Envoy's spans reach the Collector, and continue the trace of who calls", needs, async () => {
  await using edge = await startEdge();
  // The first Envoy has no Collector to speak to, and answers all the same.
  using alone = connect(edge.envoy.address, greeter);
  const headers = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` };
  assert.equal((await alone.call("SayHello", { name: "alone" }, headers)).code, status.OK);

  await using collector = await startCollector(`${edge.network.address}:4317`);
  await edge.network.name("otel-collector.gantry.svc.cluster.local", [edge.network]);
  const envoy = await edge.anotherEnvoy();
  using client = connect(envoy.address, greeter);
  assert.equal((await client.call("SayHello", { name: "traced" }, headers)).code, status.OK);
  const span = await collector.received(({ traceId, parentSpanId }) => {
    return traceId === TRACE_ID && parentSpanId === PARENT_ID;
  });
  assert.equal(span.resource["service.name"], "envoy");
  const line = await envoy.logged(({ trace_id }) => trace_id === TRACE_ID);
  assert.equal(line.method, "greeter.v1.Greeter/SayHello");
});

test(
  "a trace that its client does not record is not recorded; deadlines are shortened, and never invented",
  needs,
  async () => {
    await using edge = await startEdge();
    await using collector = await startCollector(`${edge.network.address}:4317`);
    await edge.network.name("otel-collector.gantry.svc.cluster.local", [edge.network]);
    const envoy = await edge.anotherEnvoy();
    using client = connect(envoy.address, greeter);
    for (const [flags, timeout] of [
      ["00", {}],
      ["01", {}],
      ["01", { "grpc-timeout": "5S" }],
      ["01", { "grpc-timeout": "50S" }],
    ] as const) {
      const traceparent = `00-${TRACE_ID}-${PARENT_ID}-${flags}`;
      await client.call("SayHello", { name: "traced" }, { traceparent, ...timeout });
    }
    const isCall = ({ parentSpanId }: { readonly parentSpanId: string }) => parentSpanId === PARENT_ID;
    await collector.received(() => collector.spans.filter(isCall).length === 3);
    assert.deepEqual(
      collector.spans.filter(isCall).map(({ attributes }) => attributes["grpc.timeout"]),
      // A second more than the policy's 10, so that it is the worker that says no.
      [undefined, "5000m", "11000m"],
    );
  },
);
