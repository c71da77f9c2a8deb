/**
 * Streams of messages that are passed on one at a time, when they are asked for, and let go when nobody wants
 * more. None of this is a generator: one that waits for a message could not be told that the call is over,
 * and what it reads from would not hear of it.
 */
import type { Message } from "@bufbuild/protobuf";
import { stoppedReading } from "./local-errors.ts";

/** Is told what passes through a stream. */
export interface StreamObserver {
  /** Each message, before the reader has it. */
  message?(message: Message): void;
  /** Once, when the stream is over; with what it failed with, or CANCELLED where its reader left before the end. */
  end?(error?: unknown): void;
}

/** The elements of a stream as messages. */
export function messagesOf<T>(
  elements: AsyncIterable<T> | Iterable<T>,
  toMessage: (element: T) => Message,
): AsyncIterable<Message> {
  return {
    [Symbol.asyncIterator]() {
      const inner =
        Symbol.asyncIterator in elements ? elements[Symbol.asyncIterator]() : elements[Symbol.iterator]();
      return {
        async next() {
          const { done, value } = await inner.next();
          return done ? { done, value: undefined } : { done: false, value: toMessage(value) };
        },
        async return() {
          await inner.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** The same stream, with an observer. */
export function observed(messages: AsyncIterable<Message>, observer: StreamObserver): AsyncIterable<Message> {
  return {
    [Symbol.asyncIterator]() {
      const inner = messages[Symbol.asyncIterator]();
      let over = false;
      const end = (error?: unknown) => {
        if (over) return;
        over = true;
        observer.end?.(error);
      };
      return {
        async next() {
          try {
            const result = await inner.next();
            if (result.done) end();
            else observer.message?.(result.value);
            return result;
          } catch (error) {
            end(error);
            throw error;
          }
        },
        async return() {
          end(stoppedReading());
          await inner.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
