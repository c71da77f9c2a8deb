import assert from "node:assert/strict";
import { test } from "node:test";
import { gatewayAndWorker } from "./support/upstream.ts";

test("a drain finishes what is in flight, and nobody gets in any more", async () => {
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  await using gateway = await gatewayAndWorker({
    greeter: {
      sayHello: async () => {
        begun.resolve();
        await finish.promise;
        return { reply: "done" };
      },
    },
  });
  const answer = fetch(`${gateway.url}/rpc?name=a`);
  await begun.promise;
  const stopped = gateway.stop();
  finish.resolve();
  assert.equal(await (await answer).text(), "Response from gRPC server: done");
  await stopped;
  await assert.rejects(fetch(gateway.url));
});
