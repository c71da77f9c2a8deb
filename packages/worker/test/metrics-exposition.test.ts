import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { CODE_LABELS, Code } from "@gantry/rpc";
import { requireProgram } from "../../../test/support/programs.ts";
import { createMetrics } from "../src/metrics/exposition.ts";
import { MetricsWriter } from "../src/metrics/text-format.ts";
import { workerMetrics } from "../src/metrics/worker-metrics.ts";
import { statsOf } from "./support/stats.ts";

const OPENMETRICS = "application/openmetrics-text;version=1.0.0";
const INFO = { name: "greeter", version: "1.2.3" };
const SAY_HELLO = 'grpc_type="unary",grpc_service="greeter.v1.Greeter",grpc_method="SayHello"';

/** A worker that has answered a call of SayHello in 30 ms, and whose trace is known. */
function statsWithOneCall() {
  const stats = statsOf(Greeter);
  const sayHello = stats.methods.find(({ desc }) => desc.name === "SayHello")?.stats ?? assert.fail();
  sayHello.started = 1;
  sayHello.inFlight = 1;
  sayHello.received = 1;
  sayHello.sent = 1;
  sayHello.exemplars[sayHello.end(Code.Ok, 0.03)] = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    seconds: 0.03,
    timestamp: 1_700_000_000.123,
  };
  return stats;
}

async function linesOf(stats: ReturnType<typeof statsOf>, accept?: string): Promise<string[]> {
  const { body } = await createMetrics(stats, INFO)(accept);
  return body.split("\n");
}

function assertHas(lines: readonly string[], ...expected: readonly string[]): void {
  for (const line of expected) {
    const name = line.slice(0, line.search(/[{ ]/));
    assert.ok(
      lines.includes(line),
      `expected ${line} among\n${lines.filter((each) => each.startsWith(name)).join("\n")}`,
    );
  }
}

test("every metric is there by the name that dashboards know, with its type", async () => {
  const types = (await linesOf(statsOf(Greeter)))
    .filter((line) => line.startsWith("# TYPE "))
    .map((line) => line.slice("# TYPE ".length));
  const ours = types.filter((line) => /^(grpc|gantry)_/.test(line));
  assert.deepEqual(ours.toSorted(), [
    "gantry_build_info gauge",
    "gantry_calls_in_flight gauge",
    "gantry_calls_shed_total counter",
    "gantry_calls_total counter",
    "gantry_quota_decisions_total counter",
    "gantry_worker_state gauge",
    "grpc_server_handled_total counter",
    "grpc_server_handling_seconds histogram",
    "grpc_server_msg_received_total counter",
    "grpc_server_msg_sent_total counter",
    "grpc_server_started_total counter",
  ]);
  const others = [
    "process_cpu_seconds_total counter",
    "process_resident_memory_bytes gauge",
    "nodejs_heap_size_used_bytes gauge",
  ];
  for (const other of others) assert.ok(types.includes(other), other);
});

test("every label set of every method is there at zero from the start", async () => {
  const lines = await linesOf(statsOf(Greeter));
  const methods = [
    SAY_HELLO,
    'grpc_type="server_stream",grpc_service="greeter.v1.Greeter",grpc_method="LotsOfReplies"',
    'grpc_type="client_stream",grpc_service="greeter.v1.Greeter",grpc_method="LotsOfGreetings"',
    'grpc_type="bidi_stream",grpc_service="greeter.v1.Greeter",grpc_method="BidiHello"',
  ];
  const bounds = [
    "0.005",
    "0.01",
    "0.025",
    "0.05",
    "0.1",
    "0.25",
    "0.5",
    "1.0",
    "2.5",
    "5.0",
    "10.0",
    "+Inf",
  ];
  for (const labels of methods) {
    assertHas(
      lines,
      `grpc_server_started_total{${labels}} 0`,
      `grpc_server_msg_received_total{${labels}} 0`,
      `grpc_server_msg_sent_total{${labels}} 0`,
      `gantry_calls_in_flight{${labels}} 0`,
      `gantry_calls_total{${labels},protocol="grpc"} 0`,
      ...CODE_LABELS.map((code) => `grpc_server_handled_total{${labels},grpc_code="${code}"} 0`),
      ...bounds.map((bound) => `grpc_server_handling_seconds_bucket{${labels},le="${bound}"} 0`),
      `grpc_server_handling_seconds_sum{${labels}} 0`,
      `grpc_server_handling_seconds_count{${labels}} 0`,
    );
  }
  assert.equal(lines.filter((line) => line.startsWith("grpc_server_handled_total{")).length, 4 * 17);
});

test("a call shows in every metric that it belongs to", async () => {
  assertHas(
    await linesOf(statsWithOneCall()),
    `grpc_server_started_total{${SAY_HELLO}} 1`,
    `grpc_server_handled_total{${SAY_HELLO},grpc_code="OK"} 1`,
    `grpc_server_handled_total{${SAY_HELLO},grpc_code="NotFound"} 0`,
    `grpc_server_msg_received_total{${SAY_HELLO}} 1`,
    `grpc_server_msg_sent_total{${SAY_HELLO}} 1`,
    `gantry_calls_in_flight{${SAY_HELLO}} 0`,
    `grpc_server_handling_seconds_bucket{${SAY_HELLO},le="0.025"} 0`,
    `grpc_server_handling_seconds_bucket{${SAY_HELLO},le="0.05"} 1`,
    `grpc_server_handling_seconds_bucket{${SAY_HELLO},le="+Inf"} 1`,
    `grpc_server_handling_seconds_sum{${SAY_HELLO}} 0.03`,
    `grpc_server_handling_seconds_count{${SAY_HELLO}} 1`,
  );
});

test("the numbers are those of the moment of the scrape", async () => {
  const stats = statsOf(Greeter);
  const render = createMetrics(stats, INFO);
  assert.match((await render(undefined)).body, /^gantry_worker_state\{state="serving"\} 1$/m);
  stats.state = "draining";
  stats.shed = 7;
  stats.quotas.know("greetings-per-name");
  stats.quotas.count("per-peer", "refused");
  assertHas(
    (await render(undefined)).body.split("\n"),
    'gantry_worker_state{state="starting"} 0',
    'gantry_worker_state{state="serving"} 0',
    'gantry_worker_state{state="draining"} 1',
    'gantry_worker_state{state="stopped"} 0',
    "gantry_calls_shed_total 7",
    'gantry_quota_decisions_total{quota="greetings-per-name",decision="allowed"} 0',
    'gantry_quota_decisions_total{quota="greetings-per-name",decision="refused"} 0',
    'gantry_quota_decisions_total{quota="per-peer",decision="refused"} 1',
    `gantry_build_info{name="greeter",version="1.2.3",node_version="${process.version}"} 1`,
  );
});

test("text that a label cannot hold as it is, is escaped", async () => {
  const { body } = await createMetrics(statsOf(), { name: 'a "b"', version: "1\\2\n3" })(undefined);
  assert.ok(body.includes('gantry_build_info{name="a \\"b\\"",version="1\\\\2\\n3",'));
});

test("OpenMetrics has counters by their bare name and ends with EOF, with no line empty", async () => {
  const { body, contentType } = await createMetrics(statsWithOneCall(), INFO)(OPENMETRICS);
  assert.equal(contentType, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  assert.ok(body.endsWith("\n# EOF\n"));
  assert.doesNotMatch(body, /\n\n/);
  assertHas(
    body.split("\n"),
    "# TYPE grpc_server_handled counter",
    `grpc_server_handled_total{${SAY_HELLO},grpc_code="OK"} 1`,
    "# TYPE process_cpu_seconds counter",
  );
  assert.match(body, /^process_cpu_seconds_total \d/m);
});

test("exemplars point from a bucket to a trace, for who asks for OpenMetrics", async () => {
  const stats = statsWithOneCall();
  const bucket = `grpc_server_handling_seconds_bucket{${SAY_HELLO},le="0.05"} 1`;
  assertHas(
    await linesOf(stats, OPENMETRICS),
    `${bucket} # {trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"} 0.03 1700000000.123`,
  );
  const plain = await linesOf(stats);
  assertHas(plain, bucket);
  assert.ok(!plain.some((line) => line.includes("trace_id")));
});

test("a scrape in one format does not change what the next one in the other format says", async () => {
  // Those of nodejs_* come and go with what the process happens to do.
  const names = (body: string) => new Set(body.match(/^(process|grpc|gantry)_[a-z_]+/gm));
  const render = createMetrics(statsOf(Greeter), INFO);
  const { body: plain, contentType } = await render(undefined);
  assert.equal(contentType, "text/plain; version=0.0.4; charset=utf-8");
  const { body: openMetrics } = await render(OPENMETRICS);
  const { body: plainAgain } = await render(undefined);
  assert.deepEqual(names(plainAgain), names(plain));
  assert.deepEqual(names(openMetrics), names(plain));
  assert.match(plainAgain, /^# TYPE process_cpu_seconds_total counter$/m);
});

test("prom-client is not loaded before the first scrape", async () => {
  const program = `
    import { createRequire } from "node:module";
    const { createMetrics } = await import(${JSON.stringify(import.meta.resolve("../src/metrics/exposition.ts"))});
    const { QuotaStats } = await import(${JSON.stringify(import.meta.resolve("../src/quota/quota-stats.ts"))});
    const loaded = () => Object.keys(createRequire(${JSON.stringify(import.meta.url)}).cache)
      .some((path) => path.includes("prom-client"));
    const render = createMetrics(
      { methods: [], quotas: new QuotaStats(), shed: 0, state: "serving" },
      { name: "a", version: "1" },
    );
    const before = loaded();
    await render(undefined);
    console.log(JSON.stringify({ before, after: loaded() }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
  assert.deepEqual(JSON.parse(stdout), { before: false, after: true });
});

test(
  "promtool finds no fault with our metrics",
  requireProgram("promtool", "it comes with Prometheus: apt-get install prometheus"),
  () => {
    const stats = statsWithOneCall();
    stats.quotas.know("greetings-per-name");
    const writer = new MetricsWriter("prometheus");
    workerMetrics(stats, INFO)(writer);
    const output = execFileSync("promtool", ["check", "metrics"], {
      input: writer.finish(),
      encoding: "utf8",
    });
    assert.equal(output, "");
  },
);
