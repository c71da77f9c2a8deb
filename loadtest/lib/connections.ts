/** The connections of one virtual user: one to each worker, or one to Envoy. */
import exec from "k6/execution";
import grpc from "k6/net/grpc";
import { type Answer, UNAVAILABLE, UNKNOWN } from "./answers.ts";
import type { Message, Method } from "./methods.ts";
import { moved } from "./metrics.ts";
import type { Settings } from "./settings.ts";

export type Tags = Readonly<Record<string, string>>;

/** What a call needs to know, whichever way it goes. */
export interface Outgoing {
  readonly method: Method;
  readonly requests: readonly Message[];
  readonly tags: Tags;
}

export interface Connections {
  call(outgoing: Outgoing): Promise<Answer>;
  /** A stream that is left open. */
  open(outgoing: Outgoing): Promise<OpenStream>;
  /** Closes them all: the next call connects anew. */
  close(): void;
}

export interface OpenStream {
  send(message: Message): void;
  end(): void;
  /** Resolves with the reply that has this number, from 1, or with undefined where the stream ends before. */
  reply(number: number): Promise<Message | undefined>;
  readonly answer: Promise<Answer>;
}

/** Error details are told only where k6 knows their types: without these, a refusal is an empty object. */
const DETAILS = "google/rpc/error_details.proto";
const TEXTS = ["greeter/v1/greeter.proto", "math/v1/math.proto", "gantry/v1/admin.proto", DETAILS];

/** Made while k6 starts, as it loads contracts only then: no more of them than methods need. */
export function grpcConnections(settings: Settings, methods: readonly Method[]): Connections {
  const places = new Map<string, Place>();
  for (const { worker } of settings.target === "rest" ? [] : methods) {
    const addresses = settings.addresses[worker] ?? [];
    const key = addresses.join();
    if (!places.has(key)) places.set(key, new Place(addresses, settings));
  }
  const placeOf = ({ worker }: Method): Place => {
    const place = places.get(settings.addresses[worker]?.join() ?? "");
    if (!place) throw new Error(`There is no address of the worker ${worker}.`);
    return place;
  };
  return {
    call: ({ method, ...rest }) => placeOf(method).call({ method, ...rest }),
    open: async ({ method, ...rest }) => placeOf(method).open({ method, ...rest }),
    close() {
      for (const place of places.values()) place.close();
    },
  };
}

/** A place that has several addresses: a call that finds nobody at one goes to the next, as a balancer's would. */
class Place {
  readonly #addresses: readonly { readonly address: string; readonly client: grpc.Client }[];
  readonly #settings: Settings;
  readonly #connected = new Set<string>();
  #current: number | undefined;

  constructor(addresses: readonly string[], settings: Settings) {
    this.#settings = settings;
    this.#addresses = addresses.map((address) => ({ address, client: loadedClient(settings) }));
  }

  async call(outgoing: Outgoing): Promise<Answer> {
    let answer: Answer = { code: UNAVAILABLE, message: "nobody was called", replies: [], details: [] };
    for (let attempt = 0; attempt < this.#addresses.length; attempt += 1) {
      const index = this.#index();
      answer = await this.#callAt(index, outgoing);
      if (!foundNobody(answer) || this.#addresses.length === 1) return answer;
      // Others that were under way with it may have moved on already.
      if (this.#current === index) this.#current = (index + 1) % this.#addresses.length;
      moved.add(1, outgoing.tags);
    }
    return answer;
  }

  open({ method, tags }: Outgoing): OpenStream {
    return openStream(this.#client(this.#index()), method, this.#params(tags));
  }

  close(): void {
    for (const { client } of this.#addresses) client.close();
    this.#connected.clear();
  }

  /** Virtual users spread over the addresses. */
  #index(): number {
    this.#current ??= exec.vu.idInTest % this.#addresses.length;
    return this.#current;
  }

  async #callAt(index: number, { method, requests, tags }: Outgoing): Promise<Answer> {
    try {
      const client = this.#client(index);
      if (method.kind === "unary") return await invoke(client, method, requests[0] ?? {}, this.#params(tags));
      const stream = openStream(client, method, this.#params(tags));
      for (const request of requests) stream.send(request);
      stream.end();
      return await stream.answer;
    } catch (error) {
      const message = String(error);
      return { code: nobodyThere(message) ? UNAVAILABLE : UNKNOWN, message, replies: [], details: [] };
    }
  }

  /** Connects where that has not been done. */
  #client(index: number): grpc.Client {
    const found = this.#addresses[index];
    if (!found) throw new Error(`There is no address ${index}.`);
    if (!this.#connected.has(found.address)) {
      const { authorities } = this.#settings;
      found.client.connect(found.address, {
        timeout: this.#settings.timeoutMs,
        ...(authorities === "" ? { plaintext: true } : { tls: { cacerts: authorities, cert: "", key: "" } }),
      });
      this.#connected.add(found.address);
    }
    return found.client;
  }

  #params(tags: Tags) {
    const { timeoutMs: timeout, token } = this.#settings;
    return { tags, timeout, ...(token !== "" && { metadata: { authorization: `Bearer ${token}` } }) };
  }
}

function loadedClient({ contracts }: Settings): grpc.Client {
  const client = new grpc.Client();
  if (contracts !== "") client.loadProtoset(contracts);
  else client.load([import.meta.resolve("../../proto"), import.meta.resolve("../../proto/vendor")], ...TEXTS);
  return client;
}

const pathOf = ({ service, name }: Method) => `${service}/${name}`;

async function invoke(
  client: grpc.Client,
  method: Method,
  request: Message,
  params: object,
): Promise<Answer> {
  const response = await client.asyncInvoke(pathOf(method), request, params);
  // k6's types leave open what its reference tells: protobuf JSON of the message, and of google.rpc.Status.
  const { message = "", details = [] } = (response.error ?? {}) as Partial<Answer>;
  return {
    code: numberOf(response.status),
    message,
    details,
    replies: numberOf(response.status) === 0 ? [response.message as Message] : [],
    metadata: [...Object.keys(response.headers), ...Object.keys(response.trailers)],
  };
}

function openStream(client: grpc.Client, method: Method, params: object): OpenStream {
  const stream = new grpc.Stream(client, pathOf(method), params);
  const replies: Message[] = [];
  const waiting = new Map<number, (reply: Message | undefined) => void>();
  let error: Partial<Answer> = { code: 0, message: "", details: [] };
  let ended = false;
  stream.on("data", (reply) => {
    // As above: what comes is protobuf JSON.
    replies.push(reply as Message);
    waiting.get(replies.length)?.(reply as Message);
    waiting.delete(replies.length);
  });
  stream.on("error", (found) => {
    // Likewise google.rpc.Status.
    error = found as Partial<Answer>;
  });
  const answer = new Promise<Answer>((resolve) => {
    stream.on("end", () => {
      ended = true;
      for (const settle of waiting.values()) settle(undefined);
      const { code = UNKNOWN, message = "", details } = error;
      resolve({ code: numberOf(code), message, details: details ?? [], replies });
    });
  });
  return {
    send: (message) => stream.write(message),
    end: () => stream.end(),
    reply: (number) =>
      new Promise((resolve) => {
        if (ended || replies.length >= number) resolve(replies[number - 1]);
        else waiting.set(number, resolve);
      }),
    answer,
  };
}

/** What k6 gives as a number is an object of Go, which equals no number. */
const numberOf = (code: unknown) => Number(code);

function foundNobody({ code, message }: Answer): boolean {
  return code === UNAVAILABLE && nobodyThere(message);
}

/** The words of grpc-go for calls that no server has seen. */
function nobodyThere(message: string): boolean {
  return /connection refused|error while dialing|connection error/i.test(message);
}
