import assert from "node:assert/strict";
import { test } from "node:test";
import type { Span } from "@gantry/console";
import { readSpans } from "../src/console/otlp.ts";
import { createTraces } from "../src/console/traces.ts";

const id = (number: number, digits: number) => number.toString(16).padStart(digits, "0");

function span(trace: number, parts: Partial<Span> = {}): Span {
  return {
    traceId: id(trace, 32),
    spanId: id(trace, 16),
    parentSpanId: "",
    service: "greeter",
    name: "grpc.greeter.v1.Greeter/SayHello",
    kind: "server",
    startMs: 1_000 + trace,
    endMs: 1_010 + trace,
    failed: false,
    message: "",
    attributes: { "rpc.service": "greeter.v1.Greeter", "rpc.grpc.status_code": 0 },
    ...parts,
  };
}

test("spans are read as OpenTelemetry's exporter writes them, and what is none is left out", () => {
  const good = {
    traceId: id(7, 32),
    spanId: id(8, 16),
    name: "grpc.math.v1.Math/Sum",
    kind: 2,
    startTimeUnixNano: "1795278407000500000",
    endTimeUnixNano: "1795278407002500000",
    status: { code: 2, message: "no" },
    attributes: [
      { key: "rpc.grpc.status_code", value: { intValue: 13 } },
      { key: "gantry.protocol", value: { stringValue: "rest" } },
    ],
  };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "math" } }] };
  const spans = [good, { traceId: "7", spanId: id(8, 16) }, null, "span"];
  const [read, ...others] = readSpans({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }, 5] });
  assert.deepEqual(others, []);
  assert.deepEqual(read, {
    traceId: id(7, 32),
    spanId: id(8, 16),
    parentSpanId: "",
    service: "math",
    name: "grpc.math.v1.Math/Sum",
    kind: "server",
    startMs: 1_795_278_407_000.5,
    endMs: 1_795_278_407_002.5,
    failed: true,
    message: "no",
    attributes: { "rpc.grpc.status_code": 13, "gantry.protocol": "rest" },
  });
  for (const body of [undefined, null, [], { resourceSpans: {} }, "text"])
    assert.deepEqual(readSpans(body), []);
});

test("the last thousand traces are kept, each with at most 200 spans", () => {
  const traces = createTraces();
  for (let trace = 1; trace <= 1_100; trace += 1) traces.addSpans([span(trace)]);
  assert.equal(traces.list().length, 1_000);
  assert.equal(traces.get(id(100, 32)), undefined);
  traces.addSpans(Array.from({ length: 300 }, (_, index) => span(1_100, { spanId: id(index + 5_000, 16) })));
  assert.equal(traces.get(id(1_100, 32))?.spans.length, 200);
});

test("a trace is summed up by its first span, and has the log lines of its id", () => {
  const traces = createTraces();
  const child = span(1, { spanId: id(2, 16), parentSpanId: id(1, 16), startMs: 1_005, endMs: 1_030 });
  traces.addSpans([child]);
  traces.addSpans([span(1, { service: "gateway", attributes: { "rpc.grpc.status_code": 8 } })]);
  for (const trace of [1, 2]) traces.addLine({ trace_id: id(trace, 32), msg: `line of ${trace}` });
  assert.deepEqual(traces.list(), [
    {
      traceId: id(1, 32),
      name: "greeter.v1.Greeter/SayHello",
      services: ["gateway", "greeter"],
      startMs: 1_001,
      durationMs: 29,
      spans: 2,
      code: 8,
    },
  ]);
  assert.deepEqual(traces.get(id(1, 32))?.logs, [{ trace_id: id(1, 32), msg: "line of 1" }]);
});

test("what the console asks workers again and again is not kept", () => {
  const traces = createTraces();
  for (const service of ["gantry.v1.Admin", "grpc.reflection.v1.ServerReflection", "grpc.health.v1.Health"]) {
    traces.addSpans([span(1, { attributes: { "rpc.service": service } })]);
  }
  assert.deepEqual(traces.list(), []);
});
