import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { type Edge, type EdgeWorker, needsEdge, startEdge } from "./support/edge.ts";
import { connect, type PlainClient, serviceOf } from "./support/plain-client.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");

test("the calls of one connection are spread evenly over three greeters", needsEdge(), async () => {
  await using edge = await startEdge({ greeters: 3 });
  using client = connect(edge.envoy.address, greeter);
  await greet(client, 3_000);
  const counts = await Promise.all(edge.greeters.map(answered));
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    3_000,
  );
  for (const count of counts) assert.ok(Math.abs(count - 1_000) <= 100, `${counts} of 3,000 calls`);
});

test("a greeter that is killed costs no call that may be repeated", needsEdge(), async () => {
  await using edge = await startEdge({ greeters: 3 });
  using client = connect(edge.envoy.address, greeter);
  const load = greet(client, 2_000);
  await edge.envoy.logged(({ worker }) => worker === `${edge.greeters[0]?.host.address}:50051`);
  edge.greeters[0]?.signal("SIGKILL");
  await load;
});

test(
  "a greeter that hangs gets no more calls, and those that it has are answered by others",
  needsEdge(),
  async () => {
    await using edge = await startEdge({ greeters: 3 });
    using client = connect(edge.envoy.address, greeter);
    const [hanging] = edge.greeters;
    assert.ok(hanging);
    await greet(client, 100);
    hanging.signal("SIGSTOP");
    await greet(client, 500);
    assert.equal(await healthyHosts(edge), 2);
    const before = performance.now();
    await greet(client, 500);
    assert.ok(performance.now() - before < 4_000, "no call waits for the one that hangs");
    hanging.signal("SIGCONT");
    while ((await healthyHosts(edge)) < 3) {
      // Envoy asks it once a second; there is nothing to wait on but the answer.
    }
  },
);

/** Makes so many calls, some at a time, each of which has to succeed. */
async function greet(client: PlainClient, calls: number): Promise<void> {
  let made = 0;
  const caller = async () => {
    while (made < calls) {
      made += 1;
      const { code, details } = await client.call("SayHello", { name: `caller ${made}` });
      assert.equal(code, status.OK, details);
    }
  };
  await Promise.all(Array.from({ length: 10 }, caller));
}

async function answered({ host, admin }: EdgeWorker): Promise<number> {
  const page = await (await fetch(admin.replace("0.0.0.0", host.address).concat("/metrics"))).text();
  const sample = page.split("\n").find((line) => /^grpc_server_handled_total.*SayHello.*"OK"/.test(line));
  return Number(sample?.split(" ").at(-1));
}

async function healthyHosts({ envoy }: Edge): Promise<number> {
  const page = await envoy.page("9902/stats/prometheus");
  return Number(/^envoy_cluster_membership_healthy\{envoy_cluster_name="greeter"\} (\d+)$/m.exec(page)?.[1]);
}
