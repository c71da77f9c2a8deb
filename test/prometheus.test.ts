import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { connect, serviceOf } from "./support/plain-client.ts";
import { requireProgram } from "./support/programs.ts";
import { startPrometheus } from "./support/prometheus.ts";
import { startWorker } from "./support/worker-process.ts";

const prometheus = requireProgram("prometheus", "apt-get install prometheus");
const promtool = requireProgram("promtool", "apt-get install prometheus");

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
const math = serviceOf("math/v1/math.proto", "math.v1.Math");

/** Both workers, with a few calls behind them. */
async function twoWorkers() {
  await using stack = new AsyncDisposableStack();
  const greeting = stack.use(await startWorker("greeter"));
  const counting = stack.use(await startWorker("math"));
  using toGreeter = connect(greeting.address, greeter);
  using toMath = connect(counting.address, math);
  await toGreeter.call("SayHello", { name: "七米" });
  await toGreeter.call("SayHello", { name: "小王子" });
  await toGreeter.call("SayHello", { name: "" });
  await toGreeter.call("BidiHello", [{ name: "在吗?" }, { name: "在吧?" }]);
  await toMath.call("Divide", { dividend: 7, divisor: 0 });
  await toMath.call("Fibonacci", { limit: 94 });
  const started = stack.move();
  return { greeting, counting, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

test(
  "a real Prometheus scrapes both workers, and has the calls that they have handled",
  prometheus,
  async () => {
    await using workers = await twoWorkers();
    const hosts = [workers.greeting, workers.counting].map(({ admin }) => new URL(admin).host);
    await using server = await startPrometheus(...hosts);

    assert.deepEqual(
      await valuesOf("grpc_server_handled_total > 0", "grpc_method", "grpc_code", "grpc_type"),
      {
        "SayHello OK unary": 2,
        "SayHello InvalidArgument unary": 1,
        "BidiHello OK bidi_stream": 1,
        "Divide InvalidArgument unary": 1,
        "Fibonacci OK server_stream": 1,
      },
    );
    assert.deepEqual(await valuesOf("grpc_server_msg_sent_total > 0", "grpc_service", "grpc_method"), {
      "greeter.v1.Greeter SayHello": 2,
      "greeter.v1.Greeter BidiHello": 2,
      "math.v1.Math Fibonacci": 94,
    });
    assert.deepEqual(
      await valuesOf("sum by (quota, decision) (gantry_quota_decisions_total > 0)", "quota", "decision"),
      {
        "greetings-per-name allowed": 3,
        "chat-messages-per-peer allowed": 2,
      },
    );

    /** The samples of a query once both workers are in its answer, by the values of these labels. */
    async function valuesOf(query: string, ...labels: string[]): Promise<Record<string, number>> {
      await server.query("count(up == 1) == 2");
      const samples = await server.query(query);
      return Object.fromEntries(
        samples.map(({ metric, value }) => [
          labels.map((label) => metric[label]).join(" "),
          Number(value[1]),
        ]),
      );
    }
  },
);

test("promtool has no complaint about the metrics of either worker", promtool, async () => {
  await using workers = await twoWorkers();
  for (const { admin } of [workers.greeting, workers.counting]) {
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    const check = spawn("promtool", ["check", "metrics"], { stdio: ["pipe", "ignore", "pipe"] });
    const exited = once(check, "exit");
    check.stdin.end(metrics);
    assert.equal(await text(check.stderr), "");
    assert.equal((await exited)[0], 0);
  }
});
