import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { LIMITS } from "../src/socket/limits.ts";
import { gatewayFor } from "./support/gateway.ts";
import { deafSocket } from "./support/raw-socket.ts";
import { greeter } from "./support/services.ts";

const SAY_HELLO = "greeter.v1.Greeter/SayHello";
const REPLIES = "greeter.v1.Greeter/LotsOfReplies";
const REPLY = "x".repeat(64 * 1024);
/** What the system takes for a connection that nobody reads from is some megabytes; this is far more. */
const FAR_TOO_MANY = 4_000;

/** A Greeter with streams that are long, and that tells how they get on. */
function longGreeter() {
  let made = 0;
  let next = Promise.withResolvers<void>();
  async function* replies() {
    for (; made < FAR_TOO_MANY; made += 1) {
      next.resolve();
      next = Promise.withResolvers();
      yield { reply: REPLY };
    }
  }
  return {
    service: greeter({ bidiHello: replies, lotsOfReplies: replies }),
    /** Resolves when one more reply is made. */
    goesOn: () => next.promise,
    /** Resolves when none was made for so long that none will be, with how many there are. */
    async stalls() {
      for (let before = -1; before < made; ) {
        before = made;
        await delay(300);
      }
      return made;
    },
  };
}

describe("a WebSocket that takes nothing from its connection", () => {
  test("slows its chat, which goes on when it does", async () => {
    const { service, goesOn, stalls } = longGreeter();
    await using gateway = await gatewayFor([service]);
    using client = await deafSocket(gateway.worker.port);
    const begun = goesOn();
    client.emit("message", "a");
    await begun;
    assert.ok((await stalls()) < FAR_TOO_MANY);
    const more = goesOn();
    client.listen();
    await more;
  });

  test("slows its calls", async () => {
    const { service, goesOn, stalls } = longGreeter();
    await using gateway = await gatewayFor([service]);
    using client = await deafSocket(gateway.worker.port);
    const begun = goesOn();
    client.emit("call", { id: "a", method: REPLIES, request: { name: "a" } }, 1);
    await begun;
    assert.ok((await stalls()) <= LIMITS.unacknowledged + 1);
  });

  test("is closed when more answers wait for it than for any client that reads", async () => {
    await using gateway = await gatewayFor([greeter({ sayHello: () => ({ reply: REPLY }) })]);
    using client = await deafSocket(gateway.worker.port);
    let id = 0;
    const flood = setInterval(() => {
      for (let count = 0; count < 15; count += 1) {
        id += 1;
        client.emit("call", { id: `${id}`, method: SAY_HELLO, request: { name: "a" } }, id);
      }
    }, 100);
    await client.closed;
    clearInterval(flood);
  });

  test("does not keep the gateway from ending", async () => {
    await using gateway = await gatewayFor([greeter({})], { env: { DRAIN_TIMEOUT: "60s" } });
    using client = await deafSocket(gateway.worker.port);
    client.emit("login", { token: "a" });
    const startedAt = performance.now();
    await gateway.stop();
    assert.ok(performance.now() - startedAt < 10_000);
  });
});
