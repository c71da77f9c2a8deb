import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Metadata } from "./metadata.ts";

/** What a caller may say of one call. */
export interface CallOptions {
  /** Request headers. */
  readonly headers?: Metadata;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** The call fails with DEADLINE_EXCEEDED when it takes longer. Default: that of the method's policy, if it has one. */
  readonly timeoutMs?: number;
  /** Called with the response headers when they come. */
  readonly onHeaders?: (headers: Metadata) => void;
  /** Called with the trailers when the call has ended, well or not. */
  readonly onTrailers?: (trailers: Metadata) => void;
}

/**
 * How one method is called, by its kind. Every call fails with an `RpcError`. A call that streams its
 * responses starts when they are first asked for; who stops reading them before their end cancels it.
 */
export type ClientMethod<M extends DescMethod, Options extends CallOptions = CallOptions> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: Options) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: Options) => AsyncIterable<MessageShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (
            requests: AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>,
            options?: Options,
          ) => Promise<MessageShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (
              requests: AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>,
              options?: Options,
            ) => AsyncIterable<MessageShape<O>>
          : never;

/** A typed client of a service: one function per method. */
export type Client<S extends DescService, Options extends CallOptions = CallOptions> = {
  [Name in keyof S["method"]]: ClientMethod<S["method"][Name], Options>;
};
