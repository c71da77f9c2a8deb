import assert from "node:assert/strict";
import { test } from "node:test";
import { needsEdge, startEdge } from "./support/edge.ts";
import { connect, serviceOf } from "./support/plain-client.ts";
import { slowNetwork } from "./support/slow-network.ts";
import { startLoad } from "./support/steady-load.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");

/** As k8s/base/workers/settings.env has them. */
const DRAIN = { DRAIN_DELAY: "5s", DRAIN_TIMEOUT: "25s" };

test("three greeters replaced one after another cost no call and no stream", needsEdge(), async () => {
  await using edge = await startEdge({ greeters: 3, settings: DRAIN });
  using client = connect(edge.envoy.address, greeter);
  await using load = startLoad(client);
  let pods = edge.greeters;
  for (const old of edge.greeters) {
    pods = [...pods.filter((pod) => pod !== old), await edge.worker("greeter")];
    await edge.serve("greeter", pods);
    old.signal("SIGTERM");
    assert.deepEqual(await old.exited, { code: 0, signal: null });
  }
  const { calls, streams, failures } = await load.stop();
  assert.deepEqual(failures, []);
  assert.ok(calls > 1_000 && streams > 20, `${calls} calls and ${streams} streams`);
});

test("an Envoy that is drained and replaced costs no call and no stream", needsEdge(), async () => {
  await using edge = await startEdge({ greeters: 3 });
  // What a Service does: each new connection goes to a pod that is there.
  let pod = edge.envoy;
  await using service = await slowNetwork(() => pod.address, 0);
  using client = connect(`127.0.0.1:${service.port}`, greeter);
  await using load = startLoad(client);
  const next = await edge.anotherEnvoy();
  const drained = edge.envoy.page("8082/drain");
  pod = next;
  await drained;
  edge.envoy.signal("SIGTERM");
  assert.equal(await edge.envoy.exited, 0);
  const { calls, streams, failures } = await load.stop();
  assert.deepEqual(failures, []);
  assert.ok(calls > 500 && streams > 10, `${calls} calls and ${streams} streams`);
  assert.ok(next.calls.length > 0);
});
