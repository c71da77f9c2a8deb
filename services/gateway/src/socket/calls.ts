import type { DescMethod, JsonObject, Message } from "@bufbuild/protobuf";
import { type CallOptions, Code, type Metadata, RpcError } from "@gantry/rpc";
import {
  type ClientOf,
  callForMany,
  callForOne,
  type Requests,
  readRequests,
  streamsRequests,
  streamsResponses,
} from "../json/json-call.ts";
import type { JsonCodec } from "../json/json-codec.ts";
import { Inbox } from "./inbox.ts";
import { LIMITS } from "./limits.ts";
import { type CallPayload, readCall, readId, readSend } from "./payload.ts";
import { type Ack, metadataJson } from "./replies.ts";

export interface CallsOptions {
  /** Every method that can be called, by its name: `math.v1.Math/Sum`. */
  readonly methods: ReadonlyMap<string, DescMethod>;
  readonly codec: JsonCodec;
  readonly clientOf: ClientOf;
  /** The headers that every call of the socket carries; its own come on top. */
  readonly headers: () => Metadata;
  /** What the headers that come with a call stand for. @throws RpcError where they cannot be sent */
  readonly readHeaders: (headers: Readonly<Record<string, unknown>>) => Metadata;
  /** Aborts when the socket is gone. */
  readonly signal: AbortSignal;
  /** Resolves when the connection has taken it. */
  readonly emit: (event: string, payload: JsonObject, onAck?: () => void) => Promise<void>;
  readonly errorOf: (error: unknown) => JsonObject;
}

interface OpenCall {
  readonly method: DescMethod;
  readonly inbox: Inbox<Message> | undefined;
  readonly cancelled: AbortController;
}

/** The calls that a socket makes with the event `call`. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #open = new Map<string, OpenCall>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Begins a call. @throws RpcError where it cannot begin */
  begin(payload: unknown, ack: Ack): void {
    const asked = readCall(payload);
    const { codec, signal } = this.#options;
    const method = this.#methodOf(asked);
    const inbox = streamsRequests(method) && !asked.requests ? new Inbox<Message>(LIMITS.waiting) : undefined;
    const requests = inbox ? inbox.requests : readRequests(codec, method, asked.requests ?? [{}]);
    const cancelled = new AbortController();
    const { answer, options } = this.#callOptions(asked, AbortSignal.any([signal, cancelled.signal]));

    this.#open.set(asked.id, { method, inbox, cancelled });
    const run = streamsResponses(method)
      ? this.#stream(asked.id, method, requests, options, answer, ack)
      : this.#once(method, requests, options, answer, ack);
    const running = run.finally(() => {
      inbox?.leave();
      this.#open.delete(asked.id);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  /** One more request of a call; resolves when the call has taken it. @throws RpcError where it is not taken */
  async send(payload: unknown): Promise<void> {
    const { id, message } = readSend(payload);
    const { method, inbox } = this.#openCall(id);
    if (!inbox)
      throw new RpcError(Code.FailedPrecondition, `The call ${id} had all of its requests at once.`);
    await inbox.put(this.#options.codec.read(method.input, message));
  }

  /** There are no more requests. @throws RpcError where there is no such call */
  halfClose(payload: unknown): void {
    this.#openCall(readId(payload, "call:half-close")).inbox?.end();
  }

  /** @throws RpcError where there is no such call */
  cancel(payload: unknown): void {
    this.#openCall(readId(payload, "call:cancel")).cancelled.abort();
  }

  /** Resolves when no call is in flight. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #methodOf({ id, method, requests }: CallPayload): DescMethod {
    const found = this.#options.methods.get(method);
    if (!found) {
      const known = [...this.#options.methods.keys()].join(", ");
      throw new RpcError(
        Code.Unimplemented,
        `There is no method ${method.slice(0, 100)}: expected one of ${known}.`,
      );
    }
    if (!streamsRequests(found) && requests && requests.length !== 1) {
      throw new RpcError(Code.InvalidArgument, `${method} takes one request: expected "request" with it.`);
    }
    if (this.#open.has(id)) {
      throw new RpcError(Code.AlreadyExists, `A call ${id} is in flight: expected another id.`);
    }
    if (this.#open.size >= LIMITS.calls) {
      throw new RpcError(
        Code.ResourceExhausted,
        `${LIMITS.calls} calls of this socket are in flight: expected one of them to end first.`,
      );
    }
    return found;
  }

  #openCall(id: string): OpenCall {
    const call = this.#open.get(id);
    if (!call) throw new RpcError(Code.NotFound, `There is no call ${id} in flight.`);
    return call;
  }

  #callOptions({ headers, timeoutMs }: CallPayload, signal: AbortSignal) {
    const metadata = this.#options.headers();
    for (const [key, value] of this.#options.readHeaders(headers)) metadata.set(key, value);
    /** What came back beside the messages. */
    const answer: Answer = {};
    const options: CallOptions = {
      headers: metadata,
      signal,
      ...(timeoutMs !== undefined && { timeoutMs }),
      onHeaders: (received) => {
        answer.headers = metadataJson(received);
      },
      onTrailers: (received) => {
        answer.trailers = metadataJson(received);
      },
    };
    return { answer, options };
  }

  async #once(method: DescMethod, requests: Requests, options: CallOptions, answer: Answer, ack: Ack) {
    const { codec, clientOf, errorOf } = this.#options;
    try {
      const message = await callForOne(codec, clientOf, method, requests, options);
      await ack({ message, ...answer });
    } catch (error) {
      await ack({ error: errorOf(error), ...answer });
    }
  }

  async #stream(
    id: string,
    method: DescMethod,
    requests: Requests,
    options: CallOptions,
    answer: Answer,
    ack: Ack,
  ) {
    const { codec, clientOf, emit, errorOf, signal } = this.#options;
    void ack({ streaming: true });
    using window = new Window(LIMITS.unacknowledged, options.signal ?? signal);
    try {
      for await (const message of callForMany(codec, clientOf, method, requests, options)) {
        await emit("call:message", { id, message }, window.take());
        await window.open();
      }
      await emit("call:end", { id, ...answer });
    } catch (error) {
      await emit("call:error", { id, error: errorOf(error), ...answer });
    }
  }
}

interface Answer extends JsonObject {
  headers?: Record<string, string>;
  trailers?: Record<string, string>;
}

/** How many messages may be under way that the client has not acknowledged. */
class Window implements Disposable {
  readonly #size: number;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#waiting?.();
  #underWay = 0;
  #waiting: (() => void) | undefined;

  /** @param signal nobody waits any more when it aborts */
  constructor(size: number, signal: AbortSignal) {
    this.#size = size;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort);
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  /** Counts one more; what it gives back is called when the client has acknowledged it. */
  take(): () => void {
    this.#underWay += 1;
    return () => {
      this.#underWay -= 1;
      this.#waiting?.();
    };
  }

  /** Resolves when there is room for another one. */
  open(): Promise<void> | undefined {
    if (this.#underWay < this.#size) return undefined;
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}
