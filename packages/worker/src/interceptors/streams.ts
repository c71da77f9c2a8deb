import type { Message } from "@bufbuild/protobuf";
import type { Response } from "../interceptor.ts";
import { thrown } from "./thrown.ts";

/** A response that is known to be a stream, because its method streams. */
export function asStream(response: Response): AsyncIterable<Message> {
  if (Symbol.asyncIterator in response) return response;
  throw new TypeError(
    "The handler of a method that streams its responses gave back one message: expected an async iterable.",
  );
}

/** The same stream, with what it fails with put through `map`. */
export function mapErrors(response: Response, map: (error: unknown) => unknown): AsyncIterable<Message> {
  const source = asStream(response);
  return {
    [Symbol.asyncIterator]() {
      const inner = source[Symbol.asyncIterator]();
      const fail = (error: unknown) => Promise.reject(map(error));
      return {
        next: () => inner.next().then(undefined, fail),
        return: () => inner.return?.() ?? Promise.resolve({ done: true, value: undefined }),
      };
    },
  };
}

/**
 * The same stream; `end` is called once when it is over: with its error, or without one where it
 * came to its end or its reader left.
 */
export function onStreamEnd(response: Response, end: (error?: unknown) => void): AsyncIterable<Message> {
  const source = asStream(response);
  return {
    [Symbol.asyncIterator]() {
      const inner = source[Symbol.asyncIterator]();
      let over = false;
      const endOnce = (error?: unknown) => {
        if (over) return;
        over = true;
        end(error);
      };
      const onNext = (result: IteratorResult<Message>) => {
        if (result.done) endOnce();
        return result;
      };
      const onError = (error: unknown) => {
        endOnce(thrown(error));
        throw error;
      };
      return {
        next: () => inner.next().then(onNext, onError),
        return: () => {
          endOnce();
          return inner.return?.() ?? Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}
