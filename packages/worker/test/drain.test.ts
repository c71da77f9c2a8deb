import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { framed, rawSession } from "./support/raw-http2.ts";
import { kitchenWorker } from "./support/server.ts";

test("the drain breaks the connection of a client that does not read its answer", {
  timeout: 10_000,
}, async () => {
  const { promise: cooked, resolve } = Promise.withResolvers<void>();
  await using worker = await kitchenWorker(
    {
      async cook() {
        resolve();
        return { name: "soup" };
      },
    },
    { env: { DRAIN_TIMEOUT: "500ms" } },
  );
  // With a window of 0 bytes no part of an answer may be sent.
  await using raw = rawSession(worker.port, { settings: { initialWindowSize: 0 } });
  raw.open("/kitchen.v1.Kitchen/Cook").end(framed(new Uint8Array()));
  await cooked;

  const closed = once(raw.session, "close");
  const before = performance.now();
  await worker.stop();
  await closed;
  assert.ok(performance.now() - before >= 400, "it had its time");
});
