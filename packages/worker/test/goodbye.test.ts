import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { DishSchema } from "./support/kitchen.ts";
import { framed, rawSession } from "./support/raw-http2.ts";
import { kitchenWorker } from "./support/server.ts";

const FILLING = new Uint8Array(3 * 1024 * 1024);
/** As many messages are more than the system buffers by far. */
const MANY = 20;

test("a worker that drains while a client does not read goes on as if it did, and stops in time", async () => {
  const serving = Promise.withResolvers<void>();
  let served = 0;
  await using worker = await kitchenWorker({
    async *serve() {
      for (; served < MANY; served += 1) {
        if (served === 1) serving.resolve();
        yield { filling: FILLING };
      }
    },
  });
  const windowBytes = 2 ** 30;
  await using raw = rawSession(worker.port, { settings: { initialWindowSize: windowBytes } });
  await once(raw.session, "connect");
  raw.session.setLocalWindowSize(windowBytes);
  const stream = raw.open("/kitchen.v1.Kitchen/Serve");
  stream.end(framed(toBinary(DishSchema, create(DishSchema, {}))));
  await once(stream, "response");
  stopReading(raw.socket);
  await serving.promise;
  // By then the system's buffers are full, and what is left of the message waits in the worker.
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));

  await worker.stop();
  assert.ok(served < MANY);
});

/** Leaves what comes to the system's buffers. An HTTP/2 session reads its socket below what `pause` holds up. */
function stopReading(socket: Socket): void {
  const handle: unknown = Reflect.get(socket, "_handle");
  assert.ok(
    typeof handle === "object" && handle && "readStop" in handle && typeof handle.readStop === "function",
  );
  handle.readStop();
}
