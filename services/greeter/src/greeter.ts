import { hostname } from "node:os";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { badRequest, Code, RpcError } from "@gantry/rpc";
import { type Implementation, implement } from "@gantry/worker";

/** How `LotsOfReplies` greets, in this order. */
const HELLOS = ["你好", "hello", "こんにちは", "안녕하세요"];

/** What `LotsOfGreetings` takes in one call. */
const MOST_NAMES = 10_000;
const MOST_REPLY_BYTES = 1024 * 1024;

export interface GreeterOptions {
  /** Where `WORKER_LOCATION` is read. Default: the process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: () => number;
}

export function createGreeter({ env = process.env, now = Date.now }: GreeterOptions = {}): Implementation {
  const location = printable(env.WORKER_LOCATION || hostname());

  return implement(Greeter, {
    sayHello({ name }, call) {
      call.headers.set("location", location);
      call.trailers.set("timestamp", `${Math.floor(now() / 1_000)}`);
      return { reply: `Hello ${name}` };
    },

    async *lotsOfReplies({ name }) {
      for (const hello of HELLOS) yield { reply: hello + name };
    },

    async lotsOfGreetings(requests) {
      let reply = "你好：";
      let bytes = Buffer.byteLength(reply);
      let names = 0;
      for await (const { name } of requests) {
        names += 1;
        bytes += Buffer.byteLength(name);
        if (names > MOST_NAMES) throw outOfRange("TOO_MANY_NAMES", "more than 10,000 names in one call");
        if (bytes > MOST_REPLY_BYTES)
          throw outOfRange("REPLY_TOO_LONG", "names for a reply of more than 1 MiB");
        reply += name;
      }
      return { reply };
    },

    async *bidiHello(requests) {
      for await (const { name } of requests) yield { reply: answer(name) };
    },
  });
}

export const greeter = createGreeter();

/** Turns a question to you into a statement about me. */
function answer(text: string): string {
  return text
    .replace(/[吗吧]/g, "")
    .replaceAll("你", "我")
    .replace(/[？?]/g, "!");
}

/** Metadata is printable ASCII; what is not is sent as in a URI. */
function printable(text: string): string {
  return text.replace(/[^ -~]+/g, encodeURIComponent);
}

function outOfRange(reason: string, found: string): RpcError {
  const description = `Found ${found}: expected at most 10,000 names, and a reply of at most 1 MiB.`;
  return new RpcError(Code.OutOfRange, description, [badRequest([{ field: "name", description, reason }])]);
}
