import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gatewayFor } from "./support/gateway.ts";
import { unfinishedRequest } from "./support/raw-socket.ts";
import { greeter } from "./support/services.ts";
import { next } from "./support/sockets.ts";

/** A Greeter whose answers wait until they are let go. */
function patientGreeter() {
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const service = greeter({
    sayHello: async ({ name }) => {
      begun.resolve();
      await finish.promise;
      return { reply: `Hello ${name}` };
    },
    bidiHello: async function* (requests) {
      for await (const { name } of requests) {
        begun.resolve();
        await finish.promise;
        yield { reply: `re: ${name}` };
      }
    },
  });
  return { service, begun: begun.promise, finish: finish.resolve };
}

describe("a drain", () => {
  for (const transport of ["websocket", "polling"] as const) {
    test(`waits for the answer to a chat's last message, by ${transport}`, async () => {
      const { service, begun, finish } = patientGreeter();
      await using gateway = await gatewayFor([service], { env: { DRAIN_TIMEOUT: "60s" } });
      const client = gateway.socket({ transports: [transport] });
      client.emit("message", "a");
      await begun;
      const answer = next(client, "message");
      const gone = next(client, "disconnect");
      const stopped = gateway.stop();
      finish();
      assert.equal(await answer, "re: a");
      // Neither is a wish of the server's that its client stays away.
      assert.match(`${await gone}`, /^transport (close|error)$/);
      assert.ok(client.active);
      client.disconnect();
      await stopped;
    });

    test(`waits for a call in flight, by ${transport}`, async () => {
      const { service, begun, finish } = patientGreeter();
      await using gateway = await gatewayFor([service], { env: { DRAIN_TIMEOUT: "60s" } });
      const client = gateway.socket({ transports: [transport] });
      const call = { id: "1", method: "greeter.v1.Greeter/SayHello", request: { name: "a" } };
      const answer = client.emitWithAck("call", call);
      await begun;
      const idle = await unfinishedRequest(gateway.worker.port);
      const stopped = gateway.stop();
      // A poll is a request, and counts as one.
      await idle.broken;
      finish();
      assert.equal((await answer).message.reply, "Hello a");
      client.disconnect();
      await stopped;
    });
  }

  test("ends chats that nothing is awaited of", async () => {
    const { service, finish } = patientGreeter();
    finish();
    await using gateway = await gatewayFor([service], { env: { DRAIN_TIMEOUT: "60s" } });
    const client = gateway.socket({ reconnectionAttempts: 1 });
    client.emit("message", "a");
    await next(client, "message");
    const gone = next(client, "disconnect");
    await gateway.stop();
    assert.equal(await gone, "transport close");
    assert.ok(client.active);
  });
});
