import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { Code, detached, formatDurationMs, Metadata, methodPath, PulledStream, RpcError } from "@gantry/rpc";
import {
  type Channel,
  connectivityState,
  type Metadata as GrpcMetadata,
  type InterceptingListener,
  type StatusObject,
} from "@grpc/grpc-js";
import { noteFailure, noteLost } from "../../failure.ts";
import type { ClientResponse } from "../../interceptor.ts";
import { brokenOff, cancelledBy, stoppedReading } from "../../local-errors.ts";
import type { Attempt } from "../transport.ts";
import { keepMessagesBeforeErrors, sentCode } from "./late-status.ts";
import { isLostConnection } from "./lost-connection.ts";
import { addFromGrpc, asBuffer, fromGrpc, toGrpc } from "./metadata.ts";
import { errorOf } from "./status-error.ts";

/** The most that a message may have, either way. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Below it, compression makes most messages longer, and all of them later. */
const WORTH_COMPRESSING_BYTES = 1_024;
/** grpc-js's `WriteFlags.NoCompress`, which it does not export. */
const NO_COMPRESS = 2;

/** What all calls of a channel share. */
export interface GrpcHost {
  readonly channel: Channel;
  readonly connectTimeoutMs: number;
  /** The calls in flight. */
  readonly calls: Set<GrpcCall>;
  /** Makes what each call fails with, where none are made any more. */
  refusal: (() => RpcError) | undefined;
}

type Wire = ReturnType<Channel["createCall"]>;

/**
 * One attempt at a call on the wire. It is made on the channel itself, below grpc-js's clients: messages
 * come and go one by one, for every kind of call alike, and no Node.js stream is made.
 */
export class GrpcCall implements InterceptingListener {
  readonly #host: GrpcHost;
  readonly #attempt: Attempt;
  readonly #input: DescMessage;
  readonly #output: DescMessage;
  readonly #answer = Promise.withResolvers<ClientResponse>();
  readonly #trailers = new Metadata();
  readonly #responses: PulledStream<Message> | undefined;
  #wire: Wire | undefined;
  #headers: Metadata | undefined;
  #message: Message | undefined;
  /** What this side ended the call with. */
  #failure: RpcError | undefined;
  /** Whether it was the connection that ended the call. */
  #lost = false;
  #over = false;
  #connectTimer: NodeJS.Timeout | undefined;
  #requests: AsyncIterator<Message> | undefined;
  /** Lets the writer go on, which waits for the connection to take a message. */
  #unblock: (() => void) | undefined;

  constructor(host: GrpcHost, attempt: Attempt) {
    const { input, output, methodKind } = attempt.call.method;
    this.#host = host;
    this.#attempt = attempt;
    this.#input = input;
    this.#output = output;
    if (methodKind === "server_streaming" || methodKind === "bidi_streaming") {
      const leave = () => this.cancel(stoppedReading());
      this.#responses = new PulledStream(() => this.#wire?.startRead(), leave);
    }
  }

  start(): Promise<ClientResponse> {
    const { method, deadline, signal, request, requests } = this.#attempt.call;
    const { channel, calls } = this.#host;
    calls.add(this);
    try {
      if (this.#host.refusal) throw this.#host.refusal();
      if (signal?.aborted) throw cancelledBy(signal);
      const bytes = request && this.#encode(request);
      const metadata = toGrpc(this.#attempt.headers);
      // Connections outlive the call that they were made for, and are no part of it.
      const path = methodPath(method);
      if (this.#responses) keepMessagesBeforeErrors(path);
      const wire = detached(() => {
        const made = channel.createCall(path, deadline ?? Number.POSITIVE_INFINITY, null, null, null);
        made.start(metadata, this);
        return made;
      });
      this.#wire = wire;
      signal?.addEventListener("abort", this.#onAbort, { once: true });
      this.#watchConnecting();
      if (!this.#responses) wire.startRead();
      if (bytes) {
        wire.sendMessageWithContext({ flags: flagsOf(bytes) }, bytes);
        wire.halfClose();
        this.#attempt.stats.sent += 1;
      } else if (requests) {
        this.#sendAll(wire, requests[Symbol.asyncIterator]());
      }
    } catch (error) {
      this.#end(noteFailure(asRpcError(error), "final"));
    }
    return this.#answer.promise;
  }

  /** Ends the call with this error, wherever it is. The first one holds; after the end it does nothing. */
  cancel(error: RpcError): void {
    if (this.#over || this.#failure) return;
    this.#failure = error;
    // Its status comes back with this code, and ends the call here too.
    this.#wire?.cancelWithStatus(error.code, error.message);
  }

  onReceiveMetadata(metadata: GrpcMetadata): void {
    this.#headers = fromGrpc(metadata);
    this.#respond();
  }

  onReceiveMessage(bytes: Buffer): void {
    this.#attempt.call.countBytes?.("received", bytes.byteLength);
    let message: Message;
    try {
      message = fromBinary(this.#output, bytes);
    } catch (error) {
      this.cancel(
        new RpcError(
          Code.Internal,
          `The response is no ${this.#output.typeName}: its ${bytes.byteLength} bytes do not parse (${textOf(error)}).`,
        ),
      );
      return;
    }
    this.#attempt.stats.received += 1;
    if (this.#responses) this.#responses.push(message);
    else if (this.#message) this.cancel(this.#wrongCount("a second one came"));
    else this.#message = message;
  }

  onReceiveStatus(status: StatusObject): void {
    const code = sentCode(status);
    this.#lost = isLostConnection(status);
    addFromGrpc(this.#trailers, status.metadata);
    if (this.#failure) this.#end(this.#failure);
    else if (code !== Code.Ok) this.#end(errorOf(code, status, this.#attempt.call.target, this.#trailers));
    else if (this.#responses || this.#message) this.#end(undefined);
    else this.#end(this.#wrongCount("none came"));
  }

  #wrongCount(found: string): RpcError {
    const { name } = this.#attempt.call.method;
    return new RpcError(Code.Unimplemented, `${name} answers with one message: ${found}.`);
  }

  /** A call that streams its responses has an answer as soon as the headers are there. */
  #respond(): void {
    if (!this.#responses) return;
    this.#answer.resolve({
      headers: this.#headers ?? new Metadata(),
      message: undefined,
      messages: this.#responses,
      trailers: this.#trailers,
    });
  }

  #end(error: RpcError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#host.calls.delete(this);
    clearTimeout(this.#connectTimer);
    this.#attempt.call.signal?.removeEventListener("abort", this.#onAbort);
    this.#unblock?.();
    // Whoever still waits for requests to send need not make them any more.
    this.#requests?.return?.().catch(() => {});
    this.#attempt.ended(error?.code ?? Code.Ok, error?.message ?? "");
    if (error) {
      // Of an answer of one message the caller has had nothing yet: where it was lost on its way, it may be asked for again.
      if (this.#headers && (this.#responses || !this.#lost)) noteFailure(error, "answering");
      else if (this.#hasNoPeer()) noteFailure(error, "unsent");
      if (this.#lost && error !== this.#failure) noteLost(error);
      this.#answer.reject(error);
      this.#responses?.fail(error);
    } else if (this.#responses) {
      this.#respond();
      this.#responses.end();
    } else {
      const headers = this.#headers ?? new Metadata();
      this.#answer.resolve({
        headers,
        message: this.#message,
        messages: undefined,
        trailers: this.#trailers,
      });
    }
  }

  /** Each message waits until the connection has taken the one before: a slow server slows the caller. */
  async #sendAll(wire: Wire, requests: AsyncIterator<Message>): Promise<void> {
    this.#requests = requests;
    try {
      while (!this.#over) {
        const { done, value } = await requests.next();
        if (this.#over || this.#failure) return;
        if (done) {
          this.#requests = undefined;
          wire.halfClose();
          return;
        }
        const bytes = this.#encode(value);
        await new Promise<void>((resolve) => {
          this.#unblock = resolve;
          wire.sendMessageWithContext({ callback: () => resolve(), flags: flagsOf(bytes) }, bytes);
        });
        this.#attempt.stats.sent += 1;
      }
    } catch (error) {
      this.#requests = undefined;
      this.cancel(noteFailure(brokenOff(error), "final"));
    }
  }

  #encode(message: Message): Buffer {
    const bytes = asBuffer(toBinary(this.#input, message));
    if (bytes.byteLength > MAX_MESSAGE_BYTES) {
      throw new RpcError(
        Code.ResourceExhausted,
        `The request has ${bytes.byteLength} bytes: a message may have at most 4 MiB.`,
      );
    }
    this.#attempt.call.countBytes?.("sent", bytes.byteLength);
    return bytes;
  }

  /** grpc-js keeps a call for as long as it takes to find a connection. */
  #watchConnecting(): void {
    const { channel, connectTimeoutMs } = this.#host;
    if (channel.getConnectivityState(false) === connectivityState.READY) return;
    this.#connectTimer = setTimeout(() => {
      if (!this.#hasNoPeer()) return;
      const { target } = this.#attempt.call;
      this.cancel(
        new RpcError(
          Code.Unavailable,
          `No connection to ${target} within ${formatDurationMs(connectTimeoutMs)}.`,
        ),
      );
    }, connectTimeoutMs);
  }

  /** A call that never found a connection says the channel's target in place of its peer. */
  #hasNoPeer(): boolean {
    return this.#wire?.getPeer() === this.#host.channel.getTarget();
  }

  readonly #onAbort = () => {
    const { signal } = this.#attempt.call;
    if (signal) this.cancel(cancelledBy(signal));
  };
}

function flagsOf(bytes: Buffer): number {
  return bytes.byteLength < WORTH_COMPRESSING_BYTES ? NO_COMPRESS : 0;
}

function asRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError(Code.Internal, `The call could not be sent: ${textOf(error)}`, [], { cause: error });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
