/** Logs, metrics and traces of calls, whichever protocol they come by. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { needsCollector, startCollector } from "./support/collector.ts";
import type { Way } from "./support/protocols/ways.ts";
import { startWorkers, type Workers } from "./support/protocols/workers.ts";

const DIVIDE = "math.v1.Math/Divide";

/** Divides by every way, under a trace of its own for each. */
async function divideByEach(ways: readonly Way[], flags: "00" | "01") {
  const made = [];
  for (const way of ways) {
    const traceId = randomBytes(16).toString("hex");
    const parentId = randomBytes(8).toString("hex");
    const headers = { traceparent: `00-${traceId}-${parentId}-${flags}` };
    const { code } = await way.call({ method: DIVIDE, requests: [{ divisor: "0" }], headers });
    assert.equal(code, "INVALID_ARGUMENT");
    made.push({ way, traceId, parentId });
  }
  return made;
}

/** Where a way ends. */
const frontOf = ({ math, gateway }: Workers, { byGateway }: Way) => (byGateway ? gateway : math);

test("logs tell the protocol of a call, and its client's trace, at the gateway and at the worker", async () => {
  await using workers = await startWorkers();
  for (const { way, traceId } of await divideByEach(workers.ways, "00")) {
    const lineOf = async (worker: Workers["math"]) => {
      const { method, code, protocol } = await worker.logged(
        ({ msg, trace_id }) => msg === "call" && trace_id === traceId,
      );
      return { method, code, protocol };
    };
    const line = { method: DIVIDE, code: "INVALID_ARGUMENT" };
    const protocol = way.name === "grpc" ? undefined : way.name;
    assert.deepEqual(await lineOf(frontOf(workers, way)), { ...line, protocol }, way.title);
    if (way.byGateway)
      assert.deepEqual(await lineOf(workers.math), { ...line, protocol: undefined }, way.title);
  }
});

test("metrics count calls by their protocol, and all of them by their status", async () => {
  await using workers = await startWorkers();
  await divideByEach(workers.ways, "00");
  const countsAt = async ({ admin }: Workers["math"]) => {
    const lines = (await (await fetch(`${admin}/metrics`)).text()).split("\n");
    const values = (pattern: RegExp) =>
      lines.flatMap((line) => {
        const [, label = "", value] = pattern.exec(line) ?? [];
        return value === undefined || value === "0" ? [] : [[label, Number(value)] as const];
      });
    return {
      protocols: Object.fromEntries(
        values(/^gantry_calls_total\{.*grpc_method="Divide",protocol="(\w+)"\} (\d+)$/),
      ),
      statuses: Object.fromEntries(
        values(/^grpc_server_handled_total\{.*grpc_method="Divide",grpc_code="(\w+)"\} (\d+)$/),
      ),
    };
  };
  assert.deepEqual(await countsAt(workers.gateway), {
    protocols: { grpc: 1, rest: 2, connect: 1, grpc_web: 1, graphql: 1, socket_io: 1 },
    statuses: { InvalidArgument: 7 },
  });
  assert.deepEqual(await countsAt(workers.math), {
    // What comes by the gateway comes by gRPC.
    protocols: { grpc: 1 + 7, rest: 2, connect: 1, grpc_web: 1 },
    statuses: { InvalidArgument: 5 + 7 },
  });
});

test(
  "a call is a span of its client's trace, with its protocol, and by the gateway the worker's below it",
  needsCollector,
  async () => {
    await using collector = await startCollector();
    await using workers = await startWorkers({
      settings: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.http, OTEL_BSP_SCHEDULE_DELAY: "50" },
    });
    // Spans of the gateway's client are not there before OpenTelemetry is loaded, by its first call.
    const byGateway = workers.ways.filter((way) => way.byGateway).slice(0, 1);
    for (const first of await divideByEach(byGateway, "01")) {
      await collector.received(({ parentSpanId }) => parentSpanId === first.parentId);
    }
    for (const { way, traceId, parentId } of await divideByEach(workers.ways, "01")) {
      const server = (parent: (spanId: string) => boolean) =>
        collector.received(
          (span) => span.traceId === traceId && span.kind === SERVER && parent(span.parentSpanId),
        );
      const front = await server((parent) => parent === parentId);
      assert.equal(
        front.attributes["gantry.protocol"],
        way.name === "grpc" ? undefined : way.name,
        way.title,
      );
      if (!way.byGateway) continue;
      const between = await collector.received((span) => span.traceId === traceId && span.kind === CLIENT);
      assert.equal(between.parentSpanId, front.spanId, way.title);
      const behind = await server((parent) => parent === between.spanId);
      assert.equal(behind.name, `grpc.${DIVIDE}`);
    }
  },
);

/** OpenTelemetry's numbers for kinds of spans. */
const SERVER = 2;
const CLIENT = 3;
