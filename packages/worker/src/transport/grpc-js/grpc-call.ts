import type { Message } from "@bufbuild/protobuf";
import { Code, type Metadata, PulledStream, RpcError } from "@gantry/rpc";
import {
  Metadata as GrpcMetadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from "@grpc/grpc-js";
import { Call, type CallHost, type Wire } from "../../call.ts";
import { isPromise } from "../../interceptors/promises.ts";
import { asStream } from "../../interceptors/streams.ts";
import type { Tracing } from "../../trace/tracing.ts";
import { peerOf } from "../peer.ts";
import { certificateNamesOf, sessionOf } from "./certificate.ts";
import { deadlineOf, endsInMessage, leftBecause, whenWhole } from "./leaving.ts";
import { compressed, decode, encode } from "./message-codec.ts";
import { errorTrailers, fromGrpc, OutgoingMetadata, sendableMessage, text, toGrpc } from "./metadata.ts";
import { inOurWords, type Status } from "./own-status.ts";
import { acceptsGzip, header, metadataTooLarge, OVERSIZE_HEADER } from "./request-headers.ts";
import { runInSpan, type TracedRoute } from "./traced.ts";

/** What all calls of a server share. */
export interface GrpcHost extends CallHost {
  readonly tracing: Tracing;
  readonly compression: "none" | "gzip";
}

/**
 * One call on the wire. grpc-js makes an object per call from its interceptors and then runs its own
 * handlers on it, by kind of call, with a Node.js stream for each direction. This takes the call over
 * where it starts: messages come and go one by one, for every kind alike, and no stream is made.
 */
export class GrpcCall extends ServerInterceptingCall implements Wire {
  readonly #wire: ServerInterceptingCallInterface;
  readonly #route: TracedRoute;
  readonly #host: GrpcHost;
  #metadata: GrpcMetadata | undefined;
  #message: Buffer | undefined;
  #requests: PulledStream<Message> | undefined;
  #call: Call | undefined;
  /** The status that grpc-js has sent on its own account, as for a message that is too large. */
  #sentByTransport: Status | undefined;
  #over = false;
  #prepared: Message | undefined;
  #preparedBytes: Buffer | undefined;
  /** Lets the writer go on, which waits for the connection to take a message. */
  #unblock: (() => void) | undefined;

  constructor(wire: ServerInterceptingCallInterface, route: TracedRoute, host: GrpcHost) {
    super(wire);
    this.#wire = wire;
    this.#route = route;
    this.#host = host;
    const sendStatus = wire.sendStatus;
    wire.sendStatus = (status) => {
      const said = this.#over ? status : inOurWords(status);
      if (!this.#over) this.#sentByTransport = said;
      sendStatus.call(wire, said);
    };
  }

  /** Called by grpc-js with the listener of its own handler, which is left aside. */
  override start(): void {
    this.#wire.start(this);
  }

  onReceiveMetadata(metadata: GrpcMetadata): void {
    this.#metadata = metadata;
    const [bytes] = metadata.get(OVERSIZE_HEADER);
    if (bytes !== undefined) {
      this.#refuse(metadataTooLarge(bytes));
    } else if (this.#route.method.clientStreaming) {
      this.#requests = new PulledStream(() => this.#wire.startRead());
      this.#dispatch(undefined);
    } else {
      this.#wire.startRead();
    }
  }

  onReceiveMessage(message: Buffer): void {
    if (this.#over) return;
    const { method } = this.#route;
    if (this.#requests) {
      try {
        const request = decode(method.desc.input, message);
        method.stats.received += 1;
        this.#requests.push(request);
      } catch (error) {
        if (error instanceof RpcError) this.#call?.abort(error);
      }
    } else if (this.#message) {
      this.#refuse(
        new RpcError(Code.Unimplemented, `${method.name} takes one request message: a second one came.`),
      );
    } else {
      this.#message = message;
      this.#wire.startRead();
    }
  }

  onReceiveHalfClose(): void {
    if (this.#over) return;
    if (!this.#message) {
      // Asked to read on, grpc-js finds out whether the stream was reset.
      this.#wire.startRead();
      whenWhole(this.#metadata && text(this.#metadata, "user-agent"), () => this.#endWithoutMessage());
      return;
    }
    if (this.#call) return;
    const { method } = this.#route;
    let request: Message;
    try {
      request = decode(method.desc.input, this.#message);
    } catch (error) {
      if (error instanceof RpcError) this.#refuse(error);
      return;
    }
    method.stats.received += 1;
    this.#dispatch(request);
  }

  /** The call is over for grpc-js: the client left, its deadline passed, or a status was sent: ours, too. */
  onCancel(): void {
    if (this.#over) return;
    const sent = this.#sentByTransport;
    const error = sent
      ? new RpcError((sent.code ?? Code.Unknown) as Code, sent.details ?? "")
      : leftBecause(deadlineOf(this.#wire), this.#call);
    if (this.#call) this.#call.abort(error);
    else this.#refuse(error);
  }

  get protocol() {
    return "grpc" as const;
  }

  metadata(): Metadata {
    // Set since `onReceiveMetadata`, before which there is no call that could ask.
    return fromGrpc(this.#metadata as GrpcMetadata);
  }

  header(key: string): string | undefined {
    return this.#metadata && header(this.#metadata, key);
  }

  peer(): string {
    return peerOf(this.#wire.getConnectionInfo());
  }

  connection(): object | undefined {
    return sessionOf(this.#wire);
  }

  certificateNames(): readonly string[] {
    return certificateNamesOf(this.#wire);
  }

  sendHeaders(headers: Metadata | undefined): void {
    const metadata = new OutgoingMetadata(headers);
    if (this.#compresses()) metadata.put("grpc-encoding", ["gzip"]);
    this.#wire.sendMetadata(metadata);
  }

  /** Messages are encoded inside the chain, so that one that cannot be is the call's own failure. */
  prepare(message: Message): void {
    this.#preparedBytes = encode(this.#route.method.desc.output, message);
    this.#prepared = message;
  }

  aborted(error: RpcError): void {
    this.#requests?.fail(error);
    this.#unblock?.();
  }

  /** Ends a call that never gets to its handler. It passes the chain all the same, and so is counted. */
  #refuse(error: RpcError): void {
    if (this.#over) return;
    if (this.#call) this.#call.abort(error);
    else this.#dispatch(undefined, error);
  }

  /** All messages of a stream have come; or, where there had to be one, none. */
  #endWithoutMessage(): void {
    if (endsInMessage(this.#wire)) {
      this.#refuse(new RpcError(Code.InvalidArgument, "The request ends in the middle of a message."));
    } else if (this.#requests) {
      this.#requests.end();
    } else {
      this.#refuse(
        new RpcError(Code.Unimplemented, `${this.#route.method.name} takes one request message: none came.`),
      );
    }
  }

  #dispatch(request: Message | undefined, failure?: RpcError): void {
    const { tracing } = this.#host;
    const route = this.#route;
    const metadata = this.#metadata ?? new GrpcMetadata();
    const traceParent = text(metadata, "traceparent");
    const trace = tracing.begin(traceParent, traceParent && text(metadata, "tracestate"));
    const deadline = deadlineOf(this.#wire);
    const call = new Call(this.#host, route.method, this, trace, request, this.#requests, deadline);
    this.#call = call;
    if (failure) call.abort(failure);

    runInSpan(tracing, call, route, metadata, () => this.#run(call));
  }

  /** Never rejects: gives back what the call failed with. */
  async #run(call: Call): Promise<RpcError | undefined> {
    let failure: RpcError | undefined;
    try {
      const running = this.#route.run(call);
      const response = isPromise(running) ? await running : running;
      if (this.#route.method.serverStreaming) await this.#sendAll(call, asStream(response));
      else if (this.#compresses()) this.#sendOne(call, await compressed(this.#bytesOf(response as Message)));
      else this.#sendOne(call, this.#bytesOf(response as Message));
    } catch (error) {
      failure =
        error instanceof RpcError ? error : new RpcError(Code.Internal, "The reply could not be sent.");
    }
    call.end();
    this.#over = true;
    this.#sendStatus(call, failure);
    this.#letGo();
    return failure;
  }

  /**
   * Node.js keeps a closed stream, and so this, until a full collection: V8's Maps lead from their old
   * tables to the newer ones. What the call had is not kept with it.
   */
  #letGo(): void {
    this.#call = undefined;
    this.#message = undefined;
    this.#requests = undefined;
    this.#prepared = undefined;
    this.#preparedBytes = undefined;
    this.#unblock = undefined;
  }

  /** The status follows on the heels of the message, so that both leave in one write. */
  #sendOne(call: Call, bytes: Buffer): void {
    this.#sendHeadersIfAny(call);
    this.#wire.sendMessage(bytes, ignore);
    call.method.stats.sent += 1;
  }

  /** Each message waits until the connection has taken the one before: a slow client slows the handler. */
  async #sendAll(call: Call, messages: AsyncIterable<Message>): Promise<void> {
    const iterator = messages[Symbol.asyncIterator]();
    for (;;) {
      const result = await iterator.next();
      if (result.done) return;
      let bytes = this.#bytesOf(result.value);
      if (this.#compresses()) bytes = await compressed(bytes);
      if (!call.failure) {
        this.#sendHeadersIfAny(call);
        await new Promise<void>((resolve) => {
          this.#unblock = resolve;
          this.#wire.sendMessage(bytes, resolve);
        });
        call.method.stats.sent += 1;
      }
      if (call.failure) {
        iterator.return?.();
        throw call.failure;
      }
    }
  }

  #sendStatus(call: Call, failure: RpcError | undefined): void {
    this.#sendHeadersIfAny(call);
    if (failure) {
      this.#wire.sendStatus({
        code: failure.code,
        details: sendableMessage(failure.message),
        metadata: errorTrailers(failure, call.trailersIfAny),
      });
    } else {
      this.#wire.sendStatus({ code: Code.Ok, details: "OK", metadata: toGrpc(call.trailersIfAny) ?? null });
    }
  }

  /** Headers go out with the first message by themselves, unless there is something in them. */
  #sendHeadersIfAny(call: Call): void {
    if (call.headersIfAny || this.#compresses()) call.sendHeaders();
  }

  #bytesOf(message: Message): Buffer {
    // An interceptor may have put another message in the place of the handler's.
    if (message !== this.#prepared || !this.#preparedBytes) this.prepare(message);
    return this.#preparedBytes ?? Buffer.alloc(0);
  }

  #compresses(): boolean {
    return this.#host.compression === "gzip" && this.#metadata !== undefined && acceptsGzip(this.#metadata);
  }
}

function ignore(): void {}
