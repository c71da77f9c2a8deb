/** A Greeter that takes its time: with few calls in flight, it is full soon. */
import { setTimeout as delay } from "node:timers/promises";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { implement, runWorker } from "@gantry/worker";

const TAKES_MS = 20;

const slow = implement(Greeter, {
  async sayHello({ name }, call) {
    await delay(TAKES_MS);
    call.headers.set("location", "here");
    call.trailers.set("timestamp", "0");
    return { reply: `Hello ${name}` };
  },

  async *lotsOfReplies({ name }) {
    await delay(TAKES_MS);
    for (const hello of ["你好", "hello", "こんにちは", "안녕하세요"]) yield { reply: hello + name };
  },

  async lotsOfGreetings(requests) {
    await delay(TAKES_MS);
    const names = await Array.fromAsync(requests, ({ name }) => name);
    return { reply: `你好：${names.join("")}` };
  },

  async *bidiHello(requests) {
    await delay(TAKES_MS);
    for await (const { name } of requests) {
      yield {
        reply: name
          .replace(/[吗吧]/g, "")
          .replaceAll("你", "我")
          .replace(/[？?]/g, "!"),
      };
    }
  },
});

await runWorker({ name: "slow", version: "0.0.0", services: [slow] });
