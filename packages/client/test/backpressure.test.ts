import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../src/index.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

const filling = new Uint8Array(64 * 1024);
/** 10 MiB: more than the buffers on the way hold, all together. */
const FAR_TOO_MANY = 160;

/** Waits until a count has stood still while 50 other calls went back and forth. */
async function settled(count: () => number, otherCall: () => Promise<unknown>): Promise<number> {
  for (;;) {
    const before = count();
    for (let call = 0; call < 50; call += 1) await otherCall();
    if (count() === before) return before;
  }
}

test("a caller that does not read keeps the server from sending", async () => {
  let made = 0;
  await using worker = await kitchenWorker({
    async *serve() {
      for (;;) {
        made += 1;
        yield { filling };
      }
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  const dishes = kitchen.serve({})[Symbol.asyncIterator]();
  await dishes.next();
  const ahead = await settled(
    () => made,
    () => kitchen.ping({}),
  );
  assert.ok(ahead < FAR_TOO_MANY, `${ahead} messages were made with one read`);
  for (let read = 1; read < FAR_TOO_MANY; read += 1) await dishes.next();
  assert.ok(made >= FAR_TOO_MANY, "it goes on as soon as they are read");
  await dishes.return?.();
});

test("a server that does not read keeps the caller's requests from being made", async () => {
  let made = 0;
  const reading = Promise.withResolvers<void>();
  await using worker = await kitchenWorker({
    async collect(dishes) {
      await reading.promise;
      let count = 0;
      for await (const _ of dishes) count += 1;
      return { count };
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  async function* requests() {
    while (made < FAR_TOO_MANY) {
      made += 1;
      yield { filling };
    }
  }
  const call = kitchen.collect(requests());
  const ahead = await settled(
    () => made,
    () => kitchen.ping({}),
  );
  assert.ok(ahead < FAR_TOO_MANY, `${ahead} requests were made with none read`);
  reading.resolve();
  assert.equal((await call).count, FAR_TOO_MANY);
});
