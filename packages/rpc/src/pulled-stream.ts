/**
 * The messages of a call that come from a connection. One is read each time that somebody asks for one, so
 * whoever is slow here slows the far side, and nothing piles up in between.
 */
export class PulledStream<T> implements AsyncIterableIterator<T, undefined> {
  readonly #read: () => void;
  readonly #leave: (() => void) | undefined;
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined;
  #over = false;
  #error: unknown;

  /**
   * @param read asks the connection for one more message, which it then gives to `push`, or else calls `end`
   * @param leave is called when whoever reads wants no more, before the end
   */
  constructor(read: () => void, leave?: () => void) {
    this.#read = read;
    this.#leave = leave;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    const waiting = this.#waiting;
    if (waiting) {
      // Who asks for several at once gets one after the other.
      const next = () => this.next();
      return waiting.promise.then(next, next);
    }
    const asked = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#waiting = asked;
    this.#read();
    return asked.promise;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#over) {
      this.end();
      this.#leave?.();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  push(message: T): void {
    this.#settle()?.resolve({ done: false, value: message });
  }

  /** The far side has sent all that it had to. */
  end(): void {
    this.#over = true;
    this.#settle()?.resolve({ done: true, value: undefined });
  }

  /** Whoever waits gets the error, and so does everybody who asks later. After the end it does nothing. */
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
