import type { IncomingMessage, ServerResponse } from "node:http";
import type { Message, Registry } from "@bufbuild/protobuf";
import { Code, type Metadata, RpcError } from "@gantry/rpc";
import { cancelled } from "../../call.ts";
import type { Route } from "../../pipeline.ts";
import { InProcessCall, type InProcessHost, type InProcessOptions } from "../in-process/in-process-call.ts";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import { answer, closesIfUnread, finish, type Headers } from "./answer.ts";
import { callerOf } from "./caller.ts";
import { expose } from "./cors.ts";
import { answerError } from "./errors.ts";
import { responseHeaders, timeoutMsOf } from "./metadata.ts";
import { writeResponse } from "./rest/response.ts";
import type { RestMatch } from "./rest/router.ts";
import { statusJson } from "./rest/status.ts";
import { readInput } from "./rest-input.ts";
import { type StreamFormat, streamFormat } from "./stream-format.ts";

/** A request, and what it was found to call. */
export interface RestRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly match: Extract<RestMatch, { binding: unknown }>;
  /** As it came, without the question mark. */
  readonly query: string;
  /** What a `google.protobuf.Any` in details of errors may hold. */
  readonly types: () => Registry;
}

/** A call by REST: reads the request, makes the call, and answers with what comes of it. */
export class RestCall {
  readonly #rest: RestRequest;
  readonly #format: StreamFormat;
  readonly #cameAtMs = Date.now();
  #headers: Metadata | undefined;
  #trailers: Metadata | undefined;
  #prepared: Message | undefined;
  #preparedText = "";
  /** Lets the writer go on, which waits for the client to read. */
  #unblock = () => {};

  constructor(rest: RestRequest) {
    this.#rest = rest;
    this.#format = streamFormat(rest.request.headers.accept);
  }

  async answer(host: InProcessHost): Promise<void> {
    const { request, response, route, types } = this.#rest;
    try {
      const call = await this.#begin(host);
      await (route.method.serverStreaming ? this.#all(call) : this.#one(call));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      answerError(request, response, error, this.#exposed(this.#headers, this.#trailers), types);
    }
  }

  /** A request that cannot be read makes a call too, which fails: so it is counted. */
  async #begin(host: InProcessHost): Promise<InProcessCall> {
    const { request, response, route, match, query } = this.#rest;
    const options = { ...callerOf(request, response), ...this.#options() };
    try {
      const asked = timeoutMsOf(request);
      const input = await readInput(request, match, query, route.method);
      const timeoutMs = asked === undefined ? {} : { timeoutMs: this.#cameAtMs + asked - Date.now() };
      return new InProcessCall(route, host, input, { ...options, ...timeoutMs });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return new InProcessCall(route, host, error, options);
    }
  }

  #options(): InProcessOptions {
    const { binding } = this.#rest.match;
    return {
      protocol: "rest",
      prepare: (message) => {
        this.#preparedText = limited(writeResponse(binding, message));
        this.#prepared = message;
      },
      onHeaders: (headers) => {
        this.#headers = headers;
        if (this.#rest.route.method.serverStreaming) this.#startStream();
      },
      onTrailers: (trailers) => {
        this.#trailers = trailers;
      },
      onAbort: () => this.#unblock(),
      requestsFailed: (cause) => (cause instanceof RpcError ? cause : cancelled()),
    };
  }

  async #one(call: InProcessCall): Promise<void> {
    const { request, response } = this.#rest;
    const body = this.#textOf(await call.one());
    const headers = this.#exposed(this.#headers, this.#trailers);
    answer(request, response, { status: 200, contentType: "application/json", body, headers });
  }

  #startStream(): void {
    const { request, response } = this.#rest;
    if (response.headersSent || response.destroyed) return;
    closesIfUnread(request, response);
    response.writeHead(200, {
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      // Proxies would keep messages back, to have more of them at once.
      "x-accel-buffering": "no",
      ...this.#exposed(this.#headers),
      "content-type": this.#format.contentType,
    });
    // With the first message, if that is there already.
    setImmediate(() => response.flushHeaders());
  }

  async #all(call: InProcessCall): Promise<void> {
    const { request, response, types } = this.#rest;
    const goOn = () => this.#unblock();
    response.on("drain", goOn).on("close", goOn);
    try {
      for await (const message of call.all()) {
        const taken = response.write(this.#format.message(this.#textOf(message)));
        if (!taken && !response.destroyed) {
          await new Promise<void>((resolve) => {
            this.#unblock = resolve;
          });
        }
      }
      response.write(this.#format.end);
    } catch (error) {
      if (!(error instanceof RpcError && response.headersSent)) throw error;
      response.write(this.#format.error(statusJson(error, types)));
    }
    if (request.headers.te?.includes("trailers")) response.addTrailers(responseHeaders(this.#trailers));
    await finish(request, response);
  }

  #textOf(message: Message): string {
    // An interceptor may have put another message in the place of the handler's.
    if (message !== this.#prepared) return limited(writeResponse(this.#rest.match.binding, message));
    return this.#preparedText;
  }

  /** Metadata as headers, which scripts of pages may read if they may read the answer. */
  #exposed(...parts: readonly (Metadata | undefined)[]): Headers {
    const headers = responseHeaders(...parts);
    expose(this.#rest.response, Object.keys(headers));
    return headers;
  }
}

/** @throws RpcError RESOURCE_EXHAUSTED where a reply is too large to be sent */
function limited(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_MESSAGE_BYTES) return text;
  throw new RpcError(
    Code.ResourceExhausted,
    `The reply has ${bytes} bytes: a message may have at most 4 MiB.`,
  );
}
