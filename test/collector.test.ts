/** The Collector's configuration of observability/, held by a real Collector. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needsCollector, runCollector, startSink } from "./support/collector.ts";
import { ROOT } from "./support/worker-process.ts";

const CONFIGURATION = join(ROOT, "observability/collector/collector.yaml");

/** The Collector as it is configured, but for where it listens and sends to, and how long it waits. */
async function startConfigured(logs = "/nowhere") {
  await using stack = new AsyncDisposableStack();
  const sink = stack.use(await startSink());
  const exporter = { encoding: "json", compression: "none", sending_queue: { enabled: false } };
  const changes = {
    receivers: {
      otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } } },
      filelog: { start_at: "beginning", poll_interval: "50ms" },
    },
    processors: { tail_sampling: { decision_wait: "100ms" } },
    exporters: { "otlp_http/traces": exporter, "otlp_http/logs": exporter },
  };
  const env = { TRACES_ENDPOINT: sink.address, LOGS_ENDPOINT: sink.address, LOGS: logs };
  const configs = [`file:${CONFIGURATION}`, `yaml:${JSON.stringify(changes)}`];
  const collector = stack.use(await runCollector(configs, env));
  const disposables = stack.move();
  return { ...collector, ...sink, [Symbol.asyncDispose]: () => disposables.disposeAsync() };
}

/** A span as OTLP's JSON has it, of a trace of its own. */
function spanOf(name: string, trace: number, { ms = 1, status = {}, code = 0 } = {}) {
  const start = BigInt(Date.now()) * 1_000_000n;
  return {
    name,
    kind: 2,
    // The sampler that keeps some goes by the id: it drops this one and those after it.
    traceId: trace.toString(16).padStart(32, "0"),
    spanId: trace.toString(16).padStart(16, "0"),
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + BigInt(ms) * 1_000_000n),
    attributes: [{ key: "rpc.grpc.status_code", value: { intValue: String(code) } }],
    status,
  };
}

test(
  "the Collector keeps the traces of errors, refusals and slow calls, and few others",
  needsCollector,
  async () => {
    await using collector = await startConfigured();
    const usual = Array.from({ length: 100 }, (_, index) => spanOf("usual", 100 + index));
    const spans = [
      ...usual,
      spanOf("error", 1, { status: { code: 2 }, code: 13 }),
      spanOf("over quota", 2, { code: 8 }),
      spanOf("not known", 3, { code: 16 }),
      spanOf("not allowed", 4, { code: 7 }),
      spanOf("slow", 5, { ms: 150 }),
    ];
    const resource = { attributes: [{ key: "service.name", value: { stringValue: "greeter" } }] };
    const response = await fetch(`${collector.http}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
    });
    assert.equal(response.status, 200);

    for (const kept of ["error", "over quota", "not known", "not allowed", "slow"]) {
      await collector.received(({ name }) => name === kept);
    }
    const others = collector.spans.filter(({ name }) => name === "usual").length;
    assert.ok(others < 25, `${others} of 100 usual calls were kept: expected about 5`);
  },
);

test("the Collector reads a worker's log lines, with their trace and level", needsCollector, async () => {
  const logs = await mkdtemp(join(tmpdir(), "gantry-logs-"));
  await using _logs = { [Symbol.asyncDispose]: () => rm(logs, { recursive: true }) };
  const traceId = "ae34a4a599c81ba832bf9938f2d9b6b7";
  const line = {
    ...{ level: "warn", time: "2026-01-02T03:04:05.678Z", worker: "greeter", code: "Internal" },
    ...{ trace_id: traceId, span_id: "997a616d35b08cf9", msg: "call" },
  };
  await writeFile(join(logs, "greeter.log"), `${JSON.stringify(line)}\n`);
  await using collector = await startConfigured(logs);
  const [body] = await once(collector.arrivals, "logs");

  const [{ resource, scopeLogs }] = Object(body).resourceLogs;
  const [record] = scopeLogs[0].logRecords;
  assert.deepEqual(resource.attributes, [{ key: "service.name", value: { stringValue: "greeter" } }]);
  assert.equal(record.traceId, traceId);
  assert.equal(record.severityText, "warn");
  assert.equal(record.timeUnixNano, String(BigInt(Date.parse(line.time)) * 1_000_000n));
  assert.deepEqual(record.body, { stringValue: "call" });
});
