/** A worker whose calls end as they are told to, by the name that they greet. */
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code, codeName, errorInfo, RpcError } from "@gantry/rpc";
import { implement, runWorker, unimplemented } from "@gantry/worker";

const outcomes = implement(Greeter, {
  sayHello: ({ name }) => end(name),

  async *lotsOfReplies({ name }) {
    yield { reply: name };
    await end(name);
  },

  lotsOfGreetings: unimplemented,

  async *bidiHello(requests) {
    for await (const { name } of requests) {
      yield { reply: name };
      await end(name);
    }
  },
});

/** Fails with the code of this name. `SLOW` is to wait for ever, and any other name to break. */
function end(name: string): Promise<never> {
  if (name === "SLOW") return new Promise(() => {});
  const code = Object.values(Code).find((code) => codeName(code) === name);
  if (code === undefined) throw new Error("This is for the log alone.");
  throw new RpcError(code, `七米 has ${name}: 100 %.`, [errorInfo("AS_TOLD", "gantry.test", { name })]);
}

await runWorker({ name: "outcomes", version: "0.0.0", services: [outcomes] });
