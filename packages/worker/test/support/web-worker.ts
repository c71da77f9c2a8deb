/** A worker with Greeter and Math, whose methods have HTTP annotations, and plain clients of HTTP/1.1. */
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { type Handlers, implement } from "../../src/implement.ts";
import type { Web } from "../../src/web.ts";
import { startWorker } from "../../src/worker.ts";
import { plainClient } from "./server.ts";

export type GreeterHandlers = Handlers<typeof Greeter>;
export type MathHandlers = Handlers<typeof MathService>;

const GREETER: GreeterHandlers = {
  sayHello: ({ name }) => ({ reply: `Hello ${name}` }),
  async *lotsOfReplies({ name }) {
    for (const hello of ["hi", "ho"]) yield { reply: `${hello} ${name}` };
  },
  async lotsOfGreetings(requests) {
    let reply = "";
    for await (const { name } of requests) reply += name;
    return { reply };
  },
  async *bidiHello(requests) {
    for await (const { name } of requests) yield { reply: `${name}!` };
  },
};

const MATH: MathHandlers = {
  sum: ({ vals }) => ({ val: vals.reduce((sum, val) => sum + val, 0) }),
  version: () => ({ val: "1.2.3" }),
  divide: ({ dividend, divisor }) => ({ quotient: dividend / divisor, remainder: dividend % divisor }),
  async *fibonacci({ limit }) {
    for (let at = 0; at < limit; at += 1) yield { val: BigInt(at) };
  },
  async accumulate(requests) {
    let count = 0n;
    for await (const _ of requests) count += 1n;
    return { count };
  },
  async *runningSum(requests) {
    let val = 0n;
    for await (const request of requests) {
      val += request.val;
      yield { val };
    }
  },
};

export interface WebWorkerOptions {
  readonly greeter?: Partial<GreeterHandlers>;
  readonly math?: Partial<MathHandlers>;
  readonly env?: NodeJS.ProcessEnv;
  readonly web?: Web;
}

export async function webWorker({ greeter, math, env, web }: WebWorkerOptions = {}) {
  const worker = await startWorker({
    name: "web",
    version: "1.2.3",
    services: [
      implement(Greeter, { ...GREETER, ...greeter }, { aliases: ["pb.Greeter"] }),
      implement(MathService, { ...MATH, ...math }),
    ],
    env: { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent", DRAIN_TIMEOUT: "2s", ...env },
    ...(web && { web }),
  });
  const { port, adminPort } = worker;
  const url = `http://127.0.0.1:${port}`;
  return {
    port,
    url,
    /** A request of this path. */
    fetch: (path: string, init?: RequestInit) => fetch(url + path, init),
    /** A request with a body of JSON. */
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    /** A connection on which anything can be said. */
    socket: () => rawSocket(port),
    /** The samples of a metric that are not zero, by their labels. */
    async metric(name: string): Promise<string[]> {
      const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
      return text.split("\n").filter((line) => line.startsWith(`${name}{`) && !line.endsWith(" 0"));
    },
    /** The worker still answers others, by gRPC too. */
    async assertServes(): Promise<void> {
      const client = plainClient(port, { "grpc.use_local_subchannel_pool": 1 });
      const { code, details } = await client.call("Ping", {}, { path: "/math.v1.Math/Version" });
      client.close();
      if (code !== 0) throw new Error(`A call by gRPC failed with ${code}: ${details}`);
      const { status } = await fetch(`${url}/api/v1/math/version`);
      if (status !== 200) throw new Error(`A call by REST failed with ${status}.`);
    },
    stop: () => worker.stop(),
    [Symbol.asyncDispose]: () => worker.stop(),
  };
}

export type WebWorker = Awaited<ReturnType<typeof webWorker>>;

/** A connection of HTTP/1.1 as bytes. */
export interface RawSocket extends Disposable {
  readonly socket: Socket;
  send(text: string | Uint8Array): void;
  /** What has come, as soon as this holds of it; or all of it once the connection is closed. */
  until(holds: (text: string) => boolean): Promise<string>;
  /** All that came until the connection was closed. */
  closed(): Promise<string>;
}

async function rawSocket(port: number): Promise<RawSocket> {
  const socket = connectSocket(port, "127.0.0.1");
  await once(socket, "connect");
  let text = "";
  let ended = false;
  const changed = new EventTarget();
  const tell = () => changed.dispatchEvent(new Event("change"));
  // A connection that was reset is closed as well.
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    text += chunk;
    tell();
  });
  socket.on("close", () => {
    ended = true;
    tell();
  });
  const until = async (holds: (text: string) => boolean) => {
    while (!ended && !holds(text)) await once(changed, "change");
    return text;
  };
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    until,
    closed: () => until(() => false),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
