import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@gantry/rpc";
import { requireProgram } from "../../../test/support/programs.ts";
import { startPrometheus } from "../../../test/support/prometheus.ts";
import { adminServer } from "./support/admin.ts";

const prometheus = requireProgram("prometheus", "apt-get install prometheus");

test(
  "a real Prometheus scrapes the admin port and answers with counts and exemplars",
  prometheus,
  async () => {
    await using admin = await adminServer();
    const { stats } = admin.stats.methods.find(({ desc }) => desc.name === "SayHello") ?? assert.fail();
    stats.started = 3;
    stats.inFlight = 3;
    stats.end(Code.Ok, 0.002);
    stats.end(Code.ResourceExhausted, 0.001);
    stats.exemplars[stats.end(Code.Ok, 0.7)] = {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      seconds: 0.7,
      timestamp: Date.now() / 1_000,
    };
    await using server = await startPrometheus(`127.0.0.1:${admin.port}`);

    const handled = await server.query(
      "grpc_server_handled_total{grpc_method='SayHello',grpc_code=~'OK|ResourceExhausted|Internal'}",
    );
    assert.deepEqual(Object.fromEntries(handled.map(({ metric, value }) => [metric.grpc_code, value[1]])), {
      OK: "2",
      ResourceExhausted: "1",
      Internal: "0",
    });

    const [slowest] = await server.query(
      "histogram_quantile(1, sum by (le) (grpc_server_handling_seconds_bucket))",
    );
    assert.equal(slowest?.value[1], "1", "the slowest call is in the bucket up to one second");

    const [found] = await server.exemplars("grpc_server_handling_seconds_bucket");
    assert.equal(found?.seriesLabels.le, "1.0");
    assert.equal(found.exemplars[0]?.value, "0.7");
    assert.deepEqual(found.exemplars[0]?.labels, {
      trace_id: "0af7651916cd43dd8448eb211c80319c",
      span_id: "b7ad6b7169203331",
    });
  },
);
