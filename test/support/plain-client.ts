/** Clients that know nothing of this repository but its contracts: `@grpc/grpc-js` and `@grpc/proto-loader`. */
import { join } from "node:path";
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type StatusObject,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ROOT } from "./worker-process.ts";

/** A message as `@grpc/proto-loader` has it. */
export type Message = Readonly<Record<string, unknown>>;

/** All that a client gets to know of a call that is over. */
export interface Answer {
  readonly code: number;
  readonly details: string;
  readonly replies: readonly Message[];
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

/** A call that is open. */
export interface OpenCall {
  send(message: Message): void;
  /** Nothing more is sent. */
  end(): void;
  cancel(): void;
  /** The next reply that has not been read; undefined: there are no more. */
  next(): Promise<Message | undefined>;
  readonly answer: Promise<Answer>;
}

export type Headers = Readonly<Record<string, string>>;

/** A client on a connection that it shares with no other. */
export interface PlainClient extends Disposable {
  /** Sends these messages, and answers with whatever the call ends with. */
  call(method: string, requests: Message | readonly Message[], headers?: Headers): Promise<Answer>;
  open(method: string, headers?: Headers): OpenCall;
}

/** What a client has to know of a method, by the method's name. */
export type Methods = Readonly<Record<string, Method>>;

export interface Method {
  readonly path: string;
  readonly requestSerialize: (message: object) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => object;
}

/**
 * A service, as `@grpc/proto-loader` reads it from its contract.
 *
 * @param root this repository, or a copy of it with other contracts
 */
export function serviceOf(proto: string, name: string, root = ROOT): Methods {
  const loaded = loadSync(proto, {
    includeDirs: [join(root, "proto"), join(root, "proto/vendor")],
    longs: String,
    enums: String,
    defaults: true,
  })[name];
  if (!loaded || "format" in loaded) throw new Error(`There is no service ${name} in ${proto}.`);
  return loaded;
}

/**
 * Every kind of call is made as the most general one, with a stream both ways: on the wire there is no
 * difference, and what really comes back is seen, be it two replies or none.
 *
 * @param security default: plaintext
 */
export function connect(
  address: string,
  methods: Methods,
  security: ChannelCredentials = credentials.createInsecure(),
  options: ChannelOptions = {},
): PlainClient {
  const channel = new Client(address, security, { "grpc.use_local_subchannel_pool": 1, ...options });
  const open = (method: string, headers: Headers = {}): OpenCall => {
    const definition = methods[method];
    if (!definition) throw new Error(`There is no method ${method}.`);
    const { path, requestSerialize, responseDeserialize } = definition;
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return openCall(channel.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata));
  };
  return {
    open,
    call(method, requests, headers) {
      const call = open(method, headers);
      for (const request of [requests].flat()) call.send(request);
      call.end();
      return call.answer;
    },
    [Symbol.dispose]: () => channel.close(),
  };
}

function openCall(stream: ClientDuplexStream<object, object>): OpenCall {
  const replies: Message[] = [];
  let headers = new Metadata();
  stream.on("metadata", (received: Metadata) => {
    headers = received;
  });
  stream.on("data", (reply: Message) => replies.push(reply));
  // Its code and text come with the status too.
  stream.on("error", () => {});
  const answer = new Promise<Answer>((resolve) => {
    stream.on("status", ({ code, details, metadata }: StatusObject) => {
      resolve({ code, details, replies, headers, trailers: metadata });
    });
  });
  let read = 0;
  let over = false;
  answer.then(() => {
    over = true;
  });
  return {
    send(message) {
      stream.write(message);
    },
    end() {
      stream.end();
    },
    cancel: () => stream.cancel(),
    async next() {
      if (read === replies.length && !over) {
        const arrived = new Promise((resolve) => stream.once("data", resolve));
        await Promise.race([arrived, answer]);
      }
      return replies[read++];
    },
    answer,
  };
}
