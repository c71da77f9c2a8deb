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
  /** The call fails with DEADLINE_EXCEEDED when it takes longer. Default: no deadline. */
  readonly timeoutMs?: number;
  /** Called with the response headers when they come. */
  readonly onHeaders?: (headers: Metadata) => void;
  /** Called with the trailers when the call has ended, well or not. */
  readonly onTrailers?: (trailers: Metadata) => void;
}

/** How one method is called, by its kind. Every call fails with an `RpcError`. */
export type ClientMethod<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (
            requests: AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>,
            options?: CallOptions,
          ) => Promise<MessageShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (
              requests: AsyncIterable<MessageInitShape<I>> | Iterable<MessageInitShape<I>>,
              options?: CallOptions,
            ) => AsyncIterable<MessageShape<O>>
          : never;

/** A typed client of a service: one function per method. */
export type Client<S extends DescService> = { [Name in keyof S["method"]]: ClientMethod<S["method"][Name]> };
