import type { Message } from "@bufbuild/protobuf";

type Result = IteratorResult<Message, undefined>;

/**
 * The request messages of a call that streams them. One message is read from the connection each time
 * that the handler asks for one, so a slow handler slows its client and nothing piles up in between.
 */
export class RequestStream implements AsyncIterableIterator<Message, undefined> {
  readonly #read: () => void;
  #waiting: PromiseWithResolvers<Result> | undefined;
  #over = false;
  #error: unknown;

  /** `read` asks the connection for one more message, which it then gives to `push`, or `end`. */
  constructor(read: () => void) {
    this.#read = read;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    const waiting = this.#waiting;
    if (waiting) {
      // Who asks for several at once gets one after the other.
      const next = () => this.next();
      return waiting.promise.then(next, next);
    }
    const asked = Promise.withResolvers<Result>();
    this.#waiting = asked;
    this.#read();
    return asked.promise;
  }

  return(): Promise<Result> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  push(message: Message): void {
    this.#settle()?.resolve({ done: false, value: message });
  }

  /** The client has sent all that it had to. */
  end(): void {
    this.#over = true;
    this.#settle()?.resolve({ done: true, value: undefined });
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#error = error;
    this.#settle()?.reject(error);
  }

  #settle() {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}
