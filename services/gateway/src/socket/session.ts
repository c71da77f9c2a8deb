import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { Code, type Metadata, RpcError } from "@gantry/rpc";
import type { Logger } from "@gantry/worker";
import type { Socket } from "socket.io";
import { metadataOf } from "../headers.ts";
import type { ClientOf } from "../json/json-call.ts";
import type { JsonCodec } from "../json/json-codec.ts";
import { forCaller } from "../json/unexpected.ts";
import { Calls } from "./calls.ts";
import { Chat } from "./chat.ts";
import { LIMITS } from "./limits.ts";
import { cut, Outflow } from "./outflow.ts";
import { readText, readToken } from "./payload.ts";
import type { Ack } from "./replies.ts";

export interface SessionOptions {
  readonly methods: ReadonlyMap<string, DescMethod>;
  readonly codec: JsonCodec;
  readonly log: Logger;
  /** Clients whose calls come from this peer. */
  readonly clientOf: ClientOf;
}

/** One socket: what it may send, and what comes of it. */
export class Session {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #gone = new AbortController();
  readonly #calls: Calls;
  readonly #chat: Chat;
  readonly #outflow: Outflow;
  #authorization: string | undefined;
  #draining = false;

  /** @throws RpcError where the token that came with the connection is none */
  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    // Whoever connects again by itself says here who it is, so that no login is needed.
    if (socket.handshake.auth.token !== undefined) this.#authorization = readToken(socket.handshake.auth);
    const { clientOf, codec, methods } = options;
    const headers = () => this.#headers();
    const { signal } = this.#gone;
    this.#outflow = new Outflow(socket.conn, () => {
      options.log.warn({ packets: LIMITS.packetsWaiting }, "a socket that takes no answers was closed");
      cut(socket.conn);
    });
    this.#calls = new Calls({
      methods,
      codec,
      clientOf,
      headers,
      readHeaders: metadataOf,
      signal,
      emit: (event, payload, onAck) =>
        this.#outflow.send(() => {
          if (onAck) socket.emit(event, payload, onAck);
          else socket.emit(event, payload);
        }),
      errorOf: (error) => this.#errorOf(error),
    });
    this.#chat = new Chat({
      clientOf,
      options: () => ({ headers: headers(), signal }),
      reply: (text) => this.#outflow.send(() => socket.emit("message", text)),
      failed: (error) => {
        if (!signal.aborted) socket.emit("message:error", { error: this.#errorOf(error) });
      },
    });
    this.#listen();
  }

  /** Ends the chat, waits for the calls in flight, and closes the connection so that its client tries again. */
  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all([this.#chat.end(), this.#calls.settled()]);
    await this.#outflow.emptied();
    // Not the socket's own disconnect(): clients take that as a wish that they stay away.
    this.#socket.conn.close(true);
  }

  #listen(): void {
    const socket = this.#socket;
    socket.use(this.#limitRate());
    // Without a listener, Socket.IO would print it.
    socket.on("error", (error) => this.#options.log.debug({ err: error }, "a socket failed"));
    socket.on("disconnect", () => {
      this.#gone.abort();
      this.#outflow.end();
    });
    // Socket.IO lets numbers be names of events.
    socket.onAny((event: string | number, payload: unknown, ack: unknown) => {
      const answers = typeof ack === "function";
      const send: Ack = (answer) => this.#outflow.send(() => answers && ack(answer));
      void this.#handle(`${event}`, payload, answers ? send : undefined);
    });
  }

  async #handle(event: string, payload: unknown, ack: Ack | undefined): Promise<void> {
    try {
      if (this.#draining && (event === "message" || event === "call")) throw draining();
      switch (event) {
        case "message":
          await this.#chat.say(readText(payload));
          return ack?.({ ok: true });
        case "login":
          this.#authorization = readToken(payload);
          return ack?.({ ok: true });
        case "call":
          if (!ack)
            throw new RpcError(Code.InvalidArgument, "A call came without an acknowledgement to answer.");
          return this.#calls.begin(payload, ack);
        case "call:send":
          await this.#calls.send(payload);
          return ack?.({ ok: true });
        case "call:half-close":
          this.#calls.halfClose(payload);
          return ack?.({ ok: true });
        case "call:cancel":
          this.#calls.cancel(payload);
          return ack?.({ ok: true });
        default:
          throw new RpcError(
            Code.Unimplemented,
            `There is no event ${event.slice(0, 100)}: expected ${EVENTS}.`,
          );
      }
    } catch (error) {
      const answer = { error: this.#errorOf(error) };
      if (ack) ack(answer);
      else this.#socket.emit(event === "message" ? "message:error" : "event:error", answer);
    }
  }

  /** Who floods is disconnected, in a way that clients do not answer by connecting again. */
  #limitRate() {
    let second = 0;
    let count = 0;
    return (_event: unknown, next: () => void) => {
      const now = Math.floor(performance.now() / 1_000);
      if (now !== second) [second, count] = [now, 0];
      count += 1;
      if (count <= LIMITS.eventsPerSecond) return next();
      if (count > LIMITS.eventsPerSecond + 1) return;
      const words = `More than ${LIMITS.eventsPerSecond} events in a second: expected fewer.`;
      this.#socket.emit("event:error", { error: this.#errorOf(new RpcError(Code.ResourceExhausted, words)) });
      this.#socket.disconnect(true);
    };
  }

  /** What all calls of this socket say: the headers that it came with, and who it is by now. */
  #headers(): Metadata {
    const headers = metadataOf(this.#socket.handshake.headers);
    if (this.#authorization !== undefined) headers.set("authorization", this.#authorization);
    return headers;
  }

  #errorOf(error: unknown): JsonObject {
    return this.#options.codec.status(forCaller(error, this.#options.log));
  }
}

const EVENTS = "message, login, call, call:send, call:half-close or call:cancel";

function draining(): RpcError {
  return new RpcError(
    Code.Unavailable,
    "The gateway is stopping: expected the call after the next connection.",
  );
}
