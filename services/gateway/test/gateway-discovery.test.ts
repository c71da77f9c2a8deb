import assert from "node:assert/strict";
import { test } from "node:test";
import { needsEtcd, startEtcd } from "../../../test/support/etcd-server.ts";
import { startWorker } from "../../../test/support/worker-process.ts";

test("workers are found by etcd, come and go, and the gateway is found there itself", needsEtcd, async () => {
  await using etcd = await startEtcd();
  const settings = { DISCOVERY: etcd.address, DISCOVERY_TTL: "2s" };
  const registered = ({ msg }: { msg: string }) => msg === "registered: clients find this worker";
  await using gateway = await startWorker("gateway", { ...settings, GREETER_TARGET: "etcd:///greeter" });
  await gateway.logged(registered);
  const greet = () => fetch(`http://${gateway.address}/api/v1/greeter/a`);
  assert.equal((await greet()).status, 503);
  const { reason } = await gateway.logged(({ msg }) => msg === "the worker was not reached");
  assert.match(String(reason), /etcd knows no instance at gantry\/greeter\./);

  const start = async (location: string) => {
    const greeter = await startWorker("greeter", { ...settings, WORKER_LOCATION: location });
    await greeter.logged(registered);
    return greeter;
  };
  const calledUntil = async (location: string) => {
    for (;;) {
      const answer = await greet();
      await answer.arrayBuffer();
      if (answer.headers.get("location") === location) return;
      assert.ok([200, 503].includes(answer.status));
    }
  };
  await using one = await start("one");
  await calledUntil("one");
  await using _two = await start("two");
  one.signal("SIGTERM");
  await one.exited;
  await calledUntil("two");

  const keys = Object.keys(await etcd.entries());
  assert.ok(keys.includes(`gantry/gateway/${gateway.address}`), `${keys}`);
  gateway.signal("SIGTERM");
  assert.deepEqual(await gateway.exited, { code: 0, signal: null });
});
