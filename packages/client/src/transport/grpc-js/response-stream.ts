import type { Message } from "@bufbuild/protobuf";

type Result = IteratorResult<Message, undefined>;

/**
 * The response messages of a call that streams them. One message is read from the connection each time
 * that the caller asks for one, so a slow caller slows the server and nothing piles up in between.
 */
export class ResponseStream implements AsyncIterableIterator<Message, undefined> {
  readonly #read: () => void;
  readonly #leave: () => void;
  #waiting: { resolve: (result: Result) => void; reject: (error: unknown) => void } | undefined;
  #over = false;
  #error: unknown;

  /**
   * @param read asks the connection for one more message, which it then gives to `push`, or `end`
   * @param leave the caller wants no more messages
   */
  constructor(read: () => void, leave: () => void) {
    this.#read = read;
    this.#leave = leave;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#read();
    });
  }

  return(): Promise<Result> {
    if (!this.#over) {
      this.end();
      this.#leave();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  push(message: Message): void {
    this.#settle()?.resolve({ done: false, value: message });
  }

  /** The server has sent all that it had to. */
  end(): void {
    this.#over = true;
    this.#settle()?.resolve({ done: true, value: undefined });
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#settle()?.reject(error);
  }

  #settle() {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}
