import assert from "node:assert/strict";
import { test } from "node:test";
import { Readings } from "../src/console/readings.ts";
import { readConsoleSettings } from "../src/console/settings.ts";

interface Counts {
  readonly ok: number;
  readonly failed: number;
  /** Calls that took at most 5 ms, 10 ms, and all. */
  readonly buckets: readonly [number, number, number];
  readonly startedAt?: number;
}

function metrics({ ok, failed, buckets, startedAt = 5 }: Counts): string {
  const method = 'grpc_type="unary",grpc_service="shop.v1.Shop",grpc_method="Buy"';
  return `# TYPE grpc_server_handled_total counter
grpc_server_handled_total{${method},grpc_code="OK"} ${ok}
grpc_server_handled_total{${method},grpc_code="INTERNAL"} ${failed}
grpc_server_handled_total{grpc_service="grpc.health.v1.Health",grpc_method="Check",grpc_code="OK"} ${ok}
grpc_server_handling_seconds_bucket{${method},le="0.005"} ${buckets[0]}
grpc_server_handling_seconds_bucket{${method},le="0.01"} ${buckets[1]}
grpc_server_handling_seconds_bucket{${method},le="+Inf"} ${buckets[2]}
gantry_calls_in_flight{${method}} 3
gantry_quota_decisions_total{quota="a \\"quoted\\" one",decision="allowed"} ${ok}
gantry_quota_decisions_total{quota="a \\"quoted\\" one",decision="refused"} ${failed}
gantry_worker_state{state="serving"} 1
gantry_worker_state{state="draining"} 0
gantry_build_info{name="shop",version="1.2.3",node_version="v24"} 1
process_start_time_seconds ${startedAt}
nodejs_eventloop_lag_p99_seconds NaN
`;
}

test("rates are per second, and quantiles are estimated as Prometheus does", () => {
  const readings = new Readings();
  readings.add(0, metrics({ ok: 100, failed: 10, buckets: [110, 110, 110] }));
  const { methods, quotas, state, version, lag } = readings.add(
    2_000,
    metrics({ ok: 118, failed: 12, buckets: [120, 130, 130] }),
  );
  assert.deepEqual(Object.keys(methods), ["shop.v1.Shop/Buy"]);
  const [rate, errors, p50, p95, , inFlight] = methods["shop.v1.Shop/Buy"] ?? [];
  assert.deepEqual({ rate, errors, p50, inFlight }, { rate: 10, errors: 1, p50: 0.005, inFlight: 3 });
  assert.equal(p95?.toFixed(5), "0.00950");
  assert.deepEqual(quotas, { 'a "quoted" one': [9, 1] });
  assert.deepEqual({ state, version, lag }, { state: "serving", version: "1.2.3", lag: 0 });
});

test("another process begins anew, so that no rate is below zero", () => {
  const readings = new Readings();
  readings.add(0, metrics({ ok: 100, failed: 10, buckets: [110, 110, 110] }));
  const { methods } = readings.add(2_000, metrics({ ok: 1, failed: 0, buckets: [1, 1, 1], startedAt: 6 }));
  assert.deepEqual(methods["shop.v1.Shop/Buy"]?.slice(0, 2), [0, 0]);
});

test("what is wrong with the console's settings is told, each by its name", () => {
  const problems: string[] = [];
  assert.equal(readConsoleSettings({ CONSOLE: "yes" }, problems), undefined);
  readConsoleSettings(
    { CONSOLE: "on", CONSOLE_PAGE: "/no/such/page", CONSOLE_WORKERS: "greeter=here,a=b:1=c:2,a=b:1=c:2" },
    problems,
  );
  assert.deepEqual(
    problems.map((problem) => /^CONSOLE\w*/.exec(problem)?.[0]),
    ["CONSOLE", "CONSOLE", "CONSOLE_WORKERS", "CONSOLE_WORKERS"],
  );
});
