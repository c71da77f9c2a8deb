/** A worker with a kitchen on ports of its own, a plain client of it, and what it has counted. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  type CallOptions,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  Metadata as GrpcMetadata,
  type Metadata,
  type MethodDefinition,
  type requestCallback,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { ImplementOptions } from "../../src/implement.ts";
import { startWorker } from "../../src/worker.ts";
import { KITCHEN_PROTO, type KitchenHandlers, kitchen } from "./kitchen.ts";

export type KitchenMethod = "Cook" | "Serve" | "Collect" | "Chat" | "Ping" | "Invent";

/** A dish as `@grpc/proto-loader` has it; bytes are sent as they are, whether or not they are a dish. */
export interface PlainDish {
  readonly name?: string;
  readonly count?: number;
  readonly filling?: Uint8Array;
}
export type Sent = PlainDish | Buffer;

/** All that a client gets to know of a call. */
export interface Answer {
  readonly code: number;
  readonly details: string;
  readonly replies: readonly PlainDish[];
  readonly headers: Metadata | undefined;
  readonly trailers: Metadata;
}

/** Calls that ended, by method and by `grpc_code`: `{ Cook: { OK: 1 } }`. */
export type Counted = { readonly [Method in KitchenMethod]?: { readonly [code: string]: number } };

export interface KitchenWorker extends AsyncDisposable {
  readonly port: number;
  readonly adminPort: number;
  readonly client: PlainClient;
  /** Another client, on a connection of its own. */
  connect(options?: object): PlainClient;
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
  /** What has been counted once no call is in flight any more. */
  counted(): Promise<Counted>;
  stop(): Promise<void>;
}

export interface KitchenOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly options?: ImplementOptions;
}

export async function kitchenWorker(
  handlers: Partial<KitchenHandlers> = {},
  { env = {}, options = {} }: KitchenOptions = {},
): Promise<KitchenWorker> {
  const worker = await startWorker({
    name: "kitchen",
    version: "1.2.3",
    services: [kitchen(handlers, options)],
    env: { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent", DRAIN_TIMEOUT: "2s", ...env },
  });
  const { port, adminPort } = worker;
  const clients: PlainClient[] = [];
  const connect = (options: object = {}) => {
    const client = plainClient(port, { "grpc.use_local_subchannel_pool": 1, ...options });
    clients.push(client);
    return client;
  };
  const metrics = async () => (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const stop = () => {
    for (const client of clients) client.close();
    return worker.stop();
  };
  return {
    port,
    adminPort,
    client: connect(),
    connect,
    metrics,
    counted: () => settledCounts(metrics),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export interface KitchenProcess {
  readonly client: PlainClient;
  /** The first line of the log for which this holds, as soon as there is one. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine>;
  /** What has been counted while this ran. */
  counting(run: () => Promise<void>): Promise<Counted>;
  /** Has it drain; resolves to its exit code. */
  stop(): Promise<number | null>;
}

export type LogLine = Readonly<Record<string, unknown>>;

/** A kitchen in a process of its own, which logs to its stdout. */
export async function kitchenProcess(main: URL): Promise<KitchenProcess> {
  const child = spawn(process.execPath, [fileURLToPath(main)], {
    env: { ...process.env, PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "info", DRAIN_TIMEOUT: "2s" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: LogLine[] = [];
  const arrivals = new EventEmitter().setMaxListeners(0);
  createInterface(child.stdout).on("line", (line) => {
    lines.push(JSON.parse(line));
    arrivals.emit("line");
  });
  const logged = async (matches: (line: LogLine) => boolean) => {
    for (;;) {
      const line = lines.find(matches);
      if (line) return line;
      await once(arrivals, "line");
    }
  };
  const { address, admin } = await logged(({ msg }) => msg === "serving");
  const client = plainClient(Number(String(address).split(":").at(-1)));
  const metrics = async () => (await fetch(`${admin}/metrics`)).text();
  return {
    client,
    logged,
    async counting(run) {
      const before = await settledCounts(metrics);
      await run();
      return difference(before, await settledCounts(metrics));
    },
    async stop() {
      client.close();
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const [code] = await exited;
      return code;
    },
  };
}

function difference(before: Counted, after: Counted): Counted {
  const found: Partial<Record<KitchenMethod, Record<string, number>>> = {};
  for (const [name, codes] of Object.entries(after)) {
    // Metrics name no other methods of the kitchen than it has.
    const method = name as KitchenMethod;
    for (const [code, count] of Object.entries(codes)) {
      const more = count - (before[method]?.[code] ?? 0);
      if (more > 0) found[method] = { ...found[method], [code]: more };
    }
  }
  return found;
}

/** A client made by `@grpc/grpc-js` and `@grpc/proto-loader` alone. */
export interface PlainClient {
  readonly channel: Client;
  /** Sends one message; answers with whatever the call ends with. */
  call(method: KitchenMethod, request?: Sent, options?: PlainOptions): Promise<Answer> & Cancellable;
  serve(request: Sent, options?: PlainOptions): ClientReadableStream<PlainDish>;
  collect(options?: PlainOptions): ClientWritableStream<Sent> & { readonly answer: Promise<Answer> };
  chat(options?: PlainOptions): ClientDuplexStream<Sent, PlainDish>;
  close(): void;
}

export interface Cancellable {
  cancel(): void;
}

export interface PlainOptions extends CallOptions {
  readonly metadata?: GrpcMetadata;
  /** Another path than the method's own. */
  readonly path?: string;
}

// What is loaded could be anything that a proto file can hold; this is what the kitchen's holds.
const definitions = loadSync(KITCHEN_PROTO)["kitchen.v1.Kitchen"] as unknown as Record<
  KitchenMethod,
  MethodDefinition<PlainDish, PlainDish>
>;

export function plainClient(port: number, clientOptions: object = {}): PlainClient {
  const channel = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), clientOptions);
  const parts = (name: KitchenMethod, { metadata = new GrpcMetadata(), path, ...options }: PlainOptions) => {
    const { path: own, requestSerialize, responseDeserialize } = definitions[name];
    const serialize = (sent: Sent) => (Buffer.isBuffer(sent) ? sent : requestSerialize(sent));
    return { path: path ?? own, serialize, deserialize: responseDeserialize, metadata, options };
  };
  const answered = (start: (callback: requestCallback<PlainDish>) => ClientUnaryCall) => {
    const replies: PlainDish[] = [];
    let headers: Metadata | undefined;
    // Its error says nothing that the status does not.
    const call = start((_, reply) => reply && replies.push(reply));
    const answer = new Promise<Answer>((resolve) => {
      call.on("metadata", (received: Metadata) => {
        headers = received;
      });
      call.on("status", ({ code, details, metadata: trailers }: StatusObject) => {
        // After the callback, which grpc-js calls behind the status.
        setImmediate(resolve, { code, details, trailers, headers, replies });
      });
    });
    return Object.assign(answer, { cancel: () => call.cancel() });
  };
  return {
    channel,
    call(name, request = {}, given = {}) {
      const { path, serialize, deserialize, metadata, options } = parts(name, given);
      return answered((callback) =>
        channel.makeUnaryRequest(path, serialize, deserialize, request, metadata, options, callback),
      );
    },
    serve(request, given = {}) {
      const { path, serialize, deserialize, metadata, options } = parts("Serve", given);
      return channel.makeServerStreamRequest(path, serialize, deserialize, request, metadata, options);
    },
    collect(given = {}) {
      const { path, serialize, deserialize, metadata, options } = parts("Collect", given);
      let requests: ClientWritableStream<Sent> | undefined;
      const answer = answered((callback) => {
        requests = channel.makeClientStreamRequest(path, serialize, deserialize, metadata, options, callback);
        return requests;
      });
      return Object.assign(requests ?? assert.fail(), { answer });
    },
    chat(given = {}) {
      const { path, serialize, deserialize, metadata, options } = parts("Chat", given);
      return channel.makeBidiStreamRequest(path, serialize, deserialize, metadata, options);
    },
    close: () => channel.close(),
  };
}

/** Reads a stream of replies to its end, whatever end that is. */
export function answerTo(
  stream: ClientReadableStream<PlainDish> | ClientDuplexStream<Sent, PlainDish>,
): Promise<Answer> {
  let headers: Metadata | undefined;
  const replies: PlainDish[] = [];
  stream.on("metadata", (received: Metadata) => {
    headers = received;
  });
  stream.on("data", (reply: PlainDish) => replies.push(reply));
  // Its code and text come with the status too.
  stream.on("error", () => {});
  return new Promise((resolve) => {
    stream.on("status", ({ code, details, metadata: trailers }: StatusObject) => {
      resolve({ code, details, trailers, headers, replies });
    });
  });
}

/** The worker still serves others, and has counted each of its calls exactly once: those said, and one of Ping. */
export async function assertServesOn(worker: KitchenWorker, counted: Counted): Promise<void> {
  const other = await worker.connect().call("Ping");
  assert.equal(other.code, status.OK, other.details);
  assert.deepEqual(await worker.counted(), { ...counted, Ping: { OK: 1 + (counted.Ping?.OK ?? 0) } });
}

const SAMPLE =
  /^(\w+)\{[^}]*grpc_service="kitchen\.v1\.Kitchen",grpc_method="(\w+)"(?:,grpc_code="(\w+)")?\} (\d+)$/;
const SETTLED_WITHIN_MS = 5_000;

/** Asks until all calls that have started have ended, so that a call that is never counted is found out. */
async function settledCounts(metrics: () => Promise<string>): Promise<Counted> {
  const giveUpAt = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const counted: Partial<Record<KitchenMethod, Record<string, number>>> = {};
    let open = 0;
    for (const line of (await metrics()).split("\n")) {
      const [, metric, method, code, text] = SAMPLE.exec(line) ?? [];
      const count = Number(text);
      if (metric === "grpc_server_started_total") open += count;
      if (metric !== "grpc_server_handled_total" || count === 0) continue;
      open -= count;
      // Metrics name no other methods of the kitchen than it has.
      const name = method as KitchenMethod;
      counted[name] = { ...counted[name], [String(code)]: count };
    }
    if (open === 0) return counted;
    if (performance.now() > giveUpAt)
      throw new Error(`${open} calls have started and not been counted as ended.`);
  }
}
