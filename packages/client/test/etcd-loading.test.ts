import assert from "node:assert/strict";
import { test } from "node:test";
import { loadedModules } from "../../../test/support/loaded-modules.ts";
import { createClient } from "../src/index.ts";
import { Kitchen, kitchenWorker, tcpServer } from "./support/worker.ts";

test("what watches etcd is loaded by the first call to an etcd target", async () => {
  using loaded = loadedModules();
  await using worker = await kitchenWorker();
  await using kitchen = createClient(Kitchen, worker.target);
  await kitchen.ping({});
  await using closed = await tcpServer(() => {});
  await closed.stop();
  await using discovered = createClient(Kitchen, `etcd://${closed.target}/kitchen`);
  assert.equal(loaded.has("/src/etcd/"), false);
  await assert.rejects(discovered.ping({}));
  assert.equal(loaded.has("/src/etcd/"), true);
});
