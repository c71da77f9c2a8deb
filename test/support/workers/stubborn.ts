/** A worker whose handlers do what handlers should not. */
import { setTimeout as delay } from "node:timers/promises";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { implement, runWorker } from "@gantry/worker";

const stubborn = implement(Greeter, {
  /** Never answers, whatever becomes of its call. */
  sayHello(_request, call) {
    call.log.info("waits for ever");
    return new Promise(() => {});
  },

  /** Never ends, whether or not anybody listens. */
  async *lotsOfReplies({ name }) {
    for (;;) {
      yield { reply: name };
      await delay(10);
    }
  },

  /** Fails where nobody is there to catch it. */
  async lotsOfGreetings(requests) {
    for await (const { name } of requests) setImmediate(() => Promise.reject(new Error(name)));
    return { reply: "all is well" };
  },

  /** Answers the first message, and then forgets about the call. */
  async *bidiHello(requests) {
    for await (const { name } of requests) {
      yield { reply: name };
      await new Promise(() => {});
    }
  },
});

await runWorker({ name: "stubborn", version: "0.0.0", services: [stubborn] });
