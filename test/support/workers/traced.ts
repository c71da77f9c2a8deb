/** A worker whose handlers call another worker, with the gRPC library imported before the runtime. */
import { Client, credentials } from "@grpc/grpc-js";

// The runtime has the library traced, though it was not the first to import it.

import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { implement, runWorker, unimplemented } from "@gantry/worker";

const math = new Client(process.env.MATH_ADDRESS ?? "127.0.0.1:50052", credentials.createInsecure());
const bytes = (buffer: Buffer) => buffer;

/** Settles when somebody says hello. */
let hello = Promise.withResolvers<void>();

const traced = implement(Greeter, {
  sayHello() {
    hello.resolve();
    return { reply: "Hello" };
  },

  /** Asks the worker of math for its version. */
  async *lotsOfReplies() {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAnswer = (error: Error | null) => (error ? reject(error) : resolve());
    math.makeUnaryRequest("/math.v1.Math/Version", bytes, bytes, Buffer.alloc(0), onAnswer);
    await promise;
    yield { reply: "It has one." };
  },

  lotsOfGreetings: unimplemented,

  /** Goes on when the client has finished, until somebody says hello. */
  async *bidiHello(requests, call) {
    hello = Promise.withResolvers();
    for await (const { name } of requests) yield { reply: name };
    call.log.info("the client has finished");
    await hello.promise;
    yield { reply: "goodbye" };
  },
});

await runWorker({ name: "traced", version: "1.2.3", services: [traced] });
