import assert from "node:assert/strict";
import { test } from "node:test";
import { kitchenWorker } from "./support/server.ts";
test("x", async () => {
  await using worker = await kitchenWorker();
  const a = await worker.client.call("Cook", { name: "七米" });
  console.log(a, await worker.counted());
  assert.equal(a.code, 0);
});
