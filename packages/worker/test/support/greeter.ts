import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { type Implementation, implement, unimplemented } from "../../src/implement.ts";
import { startWorker } from "../../src/worker.ts";

/** The least that answers a call of Greeter, under other names too. */
export const greeter: Implementation = implement(
  Greeter,
  {
    sayHello: ({ name }) => ({ reply: `Hello ${name}` }),
    lotsOfReplies: unimplemented,
    lotsOfGreetings: unimplemented,
    bidiHello: unimplemented,
  },
  { aliases: ["Greeter", "pb.Greeter"] },
);

/** A worker with that greeter, on ports of its own. */
export async function greeterWorker() {
  const worker = await startWorker({
    name: "greeter",
    version: "1.2.3",
    services: [greeter],
    env: { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent" },
  });
  return { ...worker, [Symbol.asyncDispose]: () => worker.stop() };
}
