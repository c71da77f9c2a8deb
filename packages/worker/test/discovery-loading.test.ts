import assert from "node:assert/strict";
import { test } from "node:test";
import { needsEtcd, startEtcd } from "../../../test/support/etcd-server.ts";
import { loadedModules } from "../../../test/support/loaded-modules.ts";
import { startWorker } from "../src/worker.ts";

const CLIENT_KIT = "/packages/client/src/";

test("a worker loads the client kit only where it has DISCOVERY", needsEtcd, async () => {
  using loaded = loadedModules();
  const start = (settings: NodeJS.ProcessEnv) => {
    const env = { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent", ...settings };
    return startWorker({ name: "empty", version: "1.2.3", services: [], env });
  };
  await using etcd = await startEtcd();
  await (await start({})).stop();
  assert.equal(loaded.has(CLIENT_KIT), false);
  await (await start({ DISCOVERY: etcd.address })).stop();
  assert.equal(loaded.has(CLIENT_KIT), true);
});
