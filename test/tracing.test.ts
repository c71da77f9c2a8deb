import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { sha256 } from "../packages/worker/test/support/auth.ts";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { type Collector, needsCollector, startCollector } from "./support/collector.ts";
import { connect, serviceOf } from "./support/plain-client.ts";
import { ROOT, startWorker, type WorkerProcess } from "./support/worker-process.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
const math = serviceOf("math/v1/math.proto", "math.v1.Math");
const TRACED = join(import.meta.dirname, "support/workers/traced.ts");

/** OpenTelemetry's kinds of span, as they go over the wire. */
const KIND = { server: 2, client: 3 };
const ERROR = 2;

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";

/** What makes a worker send its spans, without waiting for more to come. */
const sendingTo = ({ http }: Collector) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: http,
  OTEL_BSP_SCHEDULE_DELAY: "50",
});

test(
  "every call is one server span with method and status, the first call of all included",
  needsCollector,
  async () => {
    await using collector = await startCollector();
    await using worker = await startWorker("greeter", sendingTo(collector));
    using client = connect(worker.address, greeter);
    // The first span of the process is of a call that ended before OpenTelemetry was loaded.
    await client.call("SayHello", { name: "first" });
    await collector.received(() => true);
    await client.call("SayHello", { name: "" });
    await client.call("LotsOfReplies", { name: "七米" });
    await client.call("LotsOfGreetings", [{ name: "七" }, { name: "米" }]);
    await client.call("BidiHello", [{ name: "七" }, { name: "米" }]);
    await stop(worker);

    assert.deepEqual(
      collector.spans.map(({ kind, name, attributes, status: { code } }) => [
        kind,
        name,
        attributes["rpc.service"],
        attributes["rpc.method"],
        attributes["rpc.grpc.status_code"],
        code,
      ]),
      [
        ["SayHello", status.OK],
        ["SayHello", status.INVALID_ARGUMENT, ERROR],
        ["LotsOfReplies", status.OK],
        ["LotsOfGreetings", status.OK],
        ["BidiHello", status.OK],
      ].map(([method, code, spanStatus]) => [
        KIND.server,
        `grpc.greeter.v1.Greeter/${method}`,
        "greeter.v1.Greeter",
        method,
        code,
        spanStatus,
      ]),
    );
    const logged = worker.logs.filter(({ msg }) => msg === "call");
    assert.deepEqual(
      collector.spans.map(({ traceId, spanId }) => [traceId, spanId]),
      logged.map(({ trace_id, span_id }) => [trace_id, span_id]),
      "the lines of the log carry the ids of the spans",
    );
    for (const [index, span] of collector.spans.entries()) {
      const { time, duration_ms: tookMs } = logged[index] ?? assert.fail();
      assert.ok(span.endMs >= span.startMs);
      assertNear(span.endMs, Date.parse(String(time)));
      assertNear(span.endMs - span.startMs, Number(tookMs));
      assert.equal(span.resource["service.name"], "greeter");
      assert.equal(span.resource["service.version"], "0.1.0");
      assert.equal(span.parentSpanId, "");
    }
  },
);

test("the span of a call names the principal that made it", needsCollector, async () => {
  await using file = await temporaryFile(
    "auth.yaml",
    `principals: [{ name: alice, tokens: [{ sha256: "${sha256("alice-s-token")}" }] }]`,
  );
  await using collector = await startCollector();
  await using worker = await startWorker("greeter", { ...sendingTo(collector), AUTH_FILE: file.path });
  using client = connect(worker.address, greeter);
  const greet = (token: string) =>
    client.call("SayHello", { name: "七米" }, { authorization: `Bearer ${token}` });
  // The first span is recorded by other code than those that come after it.
  await greet("alice-s-token");
  await collector.received(() => true);
  await greet("alice-s-token");
  await greet("mallory-s-token");
  await stop(worker);
  assert.deepEqual(
    collector.spans.map(({ attributes }) => attributes["enduser.id"]),
    ["alice", "alice", undefined],
  );
  const told = JSON.stringify([collector.spans, worker.logs]);
  assert.ok(!told.includes("-s-token"), "tokens are neither in spans nor in the log");
});

test("the span of a call that a quota refused names the quota", needsCollector, async () => {
  await using collector = await startCollector();
  await using worker = await startWorker("greeter", {
    ...sendingTo(collector),
    POLICY_FILE: join(ROOT, "services/greeter/policies/greet-once.yaml"),
  });
  using client = connect(worker.address, greeter);
  const greetTwice = async (name: string) => {
    await client.call("SayHello", { name });
    await client.call("SayHello", { name });
  };
  await greetTwice("early");
  await collector.received(() => true);
  await greetTwice("late");
  await stop(worker);
  assert.deepEqual(
    collector.spans.map(({ attributes }) => [attributes["rpc.grpc.status_code"], attributes["gantry.quota"]]),
    [
      [status.OK, undefined],
      [status.RESOURCE_EXHAUSTED, "greet-once"],
      [status.OK, undefined],
      [status.RESOURCE_EXHAUSTED, "greet-once"],
    ],
  );
});

test(
  "a call continues the trace of its client, and what its handler calls continues that",
  needsCollector,
  async () => {
    await using collector = await startCollector();
    await using next = await startWorker("math", sendingTo(collector));
    await using worker = await startWorker(TRACED, { ...sendingTo(collector), MATH_ADDRESS: next.address });
    using client = connect(worker.address, greeter);
    const headers = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01`, tracestate: "vendor=value" };
    await client.call("SayHello", { name: "七米" }, headers);
    const early = await collector.received(({ traceId }) => traceId === TRACE_ID);
    assert.equal(early.parentSpanId, PARENT_ID);
    assert.equal(early.traceState, "vendor=value");

    assert.equal((await client.call("LotsOfReplies", { name: "七米" }, headers)).code, status.OK);
    await Promise.all([stop(worker), stop(next)]);
    const [called, calling, answering] = await Promise.all([
      collector.received(({ name }) => name === "grpc.greeter.v1.Greeter/LotsOfReplies"),
      collector.received(({ name, kind }) => name === "grpc.math.v1.Math/Version" && kind === KIND.client),
      collector.received(({ name, kind }) => name === "grpc.math.v1.Math/Version" && kind === KIND.server),
    ]);
    assert.deepEqual(
      [called, calling, answering].map(({ traceId, parentSpanId }) => [traceId, parentSpanId]),
      [
        [TRACE_ID, PARENT_ID],
        [TRACE_ID, called.spanId],
        [TRACE_ID, calling.spanId],
      ],
    );
    assert.equal(called.traceState, "vendor=value");
    assert.equal(answering.resource["service.name"], "math");
  },
);

test(
  "a stream's span ends when the stream ends, not when its client has finished",
  needsCollector,
  async () => {
    await using collector = await startCollector();
    await using worker = await startWorker(TRACED, sendingTo(collector));
    using client = connect(worker.address, greeter);
    // As the first call of the process, and again when OpenTelemetry is there.
    for (const traceId of ["1".repeat(32), "2".repeat(32)]) {
      const stream = client.open("BidiHello", { traceparent: `00-${traceId}-${PARENT_ID}-01` });
      stream.send({ name: "hello" });
      stream.end();
      await stream.next();
      await worker.logged(({ msg, trace_id }) => msg === "the client has finished" && trace_id === traceId);
      const finishedAtMs = Date.now();
      assert.equal((await client.call("SayHello", { name: "七米" })).code, status.OK);
      assert.deepEqual(await stream.next(), { reply: "goodbye" });
      const span = await collector.received((each) => each.traceId === traceId);
      assert.ok(span.endMs >= finishedAtMs, `it ended ${finishedAtMs - span.endMs} ms too early`);
      assert.equal(span.attributes["rpc.grpc.status_code"], status.OK);
    }
  },
);

test(
  "a call whose client's trace is not recorded has no span, and log lines with the client's ids",
  needsCollector,
  async () => {
    await using collector = await startCollector();
    await using worker = await startWorker("greeter", sendingTo(collector));
    using client = connect(worker.address, greeter);
    const unrecorded = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-00` };
    await client.call("SayHello", { name: "early" }, unrecorded);
    await client.call("SayHello", { name: "recorded" });
    await collector.received(() => true);
    await client.call("SayHello", { name: "late" }, unrecorded);
    await client.call("BidiHello", { name: "late" }, unrecorded);
    await client.call("SayHello", { name: "recorded" });
    await stop(worker);
    assert.equal(collector.spans.length, 2);
    assert.ok(collector.spans.every(({ traceId }) => traceId !== TRACE_ID));
    assert.equal(worker.logs.filter(({ trace_id }) => trace_id === TRACE_ID).length, 3);
  },
);

test("OTEL_TRACES_SAMPLER records a part of all traces", needsCollector, async () => {
  await using collector = await startCollector();
  await using worker = await startWorker("greeter", {
    ...sendingTo(collector),
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.5",
  });
  using client = connect(worker.address, greeter);
  for (let call = 0; call < 100; call += 1) await client.call("SayHello", { name: `caller ${call}` });
  await stop(worker);
  const recorded = new Set(collector.spans.map(({ traceId }) => traceId));
  // Off by as much as this, it is by chance once in a million runs.
  assert.ok(recorded.size > 25 && recorded.size < 75, `${recorded.size} of 100 calls`);
  assert.equal(recorded.size, collector.spans.length);
});

test("spans are exported at the drain, before the worker exits", needsCollector, async () => {
  await using collector = await startCollector();
  await using worker = await startWorker("greeter", {
    ...sendingTo(collector),
    OTEL_BSP_SCHEDULE_DELAY: "3600000",
  });
  using client = connect(worker.address, greeter);
  await client.call("SayHello", { name: "七米" });
  const open = client.open("BidiHello");
  open.send({ name: "在吗?" });
  await open.next();
  worker.signal("SIGTERM");
  await worker.logged(({ msg }) => msg === "draining");
  open.end();
  assert.deepEqual(await worker.exited, { code: 0, signal: null });
  assert.deepEqual(
    collector.spans.map(({ name }) => name),
    ["grpc.greeter.v1.Greeter/SayHello", "grpc.greeter.v1.Greeter/BidiHello"],
  );
});

test(
  "spans go by gRPC where OpenTelemetry's settings say so, and sending them makes no spans",
  needsCollector,
  async () => {
    await using collector = await startCollector();
    await using worker = await startWorker("math", {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.grpc,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    });
    using client = connect(worker.address, math);
    for (const count of [1, 2]) {
      await client.call("Sum", { vals: [count] });
      await collector.received(() => collector.spans.length === count);
    }
    await stop(worker);
    assert.deepEqual(
      collector.spans.map(({ name }) => name),
      ["grpc.math.v1.Math/Sum", "grpc.math.v1.Math/Sum"],
    );
  },
);

/** Tells on stderr what a worker loads. */
const REPORTING = { NODE_OPTIONS: `--import=${join(import.meta.dirname, "support/report-packages.ts")}` };

for (const [what, settings, loads] of [
  ["no setting of OpenTelemetry's", () => ({}), false],
  ["OTEL_SDK_DISABLED", (collector) => ({ ...sendingTo(collector), OTEL_SDK_DISABLED: "true" }), false],
  [
    "OTEL_TRACES_EXPORTER=none",
    (collector) => ({ ...sendingTo(collector), OTEL_TRACES_EXPORTER: "none" }),
    false,
  ],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", sendingTo, true],
] as const satisfies [string, (collector: Collector) => Record<string, string>, boolean][]) {
  test(`with ${what}, OpenTelemetry is ${loads ? "" : "never "}loaded`, needsCollector, async () => {
    await using collector = await startCollector();
    await using worker = await startWorker("math", { ...settings(collector), ...REPORTING });
    using client = connect(worker.address, math);
    const headers = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` };
    for (const vals of [[1], [2]]) await client.call("Sum", { vals }, headers);
    await stop(worker);
    assert.equal(collector.spans.length, loads ? 2 : 0);
    assert.ok(worker.errors.includes("loads @grpc/grpc-js"), "what it loads is told");
    assert.equal(
      worker.errors.some((line) => line.includes("opentelemetry")),
      loads,
    );
    assert.equal(worker.logs.filter(({ trace_id }) => trace_id === TRACE_ID).length, 2);
  });
}

/** Spans and log lines are written one after the other, by clocks of their own. */
function assertNear(foundMs: number, expectedMs: number): void {
  assert.ok(Math.abs(foundMs - expectedMs) < 250, `${foundMs} ms, for ${expectedMs} ms`);
}

async function stop(worker: WorkerProcess): Promise<void> {
  worker.signal("SIGTERM");
  assert.deepEqual(await worker.exited, { code: 0, signal: null });
}
