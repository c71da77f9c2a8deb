import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";

/** As much of a call's requests as is kept, for an attempt to send them again. */
const MAX_KEPT_BYTES = 64 * 1024;
const MAX_KEPT_MESSAGES = 1_024;

/**
 * The requests of a call that streams them. Each attempt sends them from the first, until there are more than
 * is kept, or the answer has begun: the attempt that is being made then is the last.
 */
export class KeptRequests {
  readonly #schema: DescMessage;
  readonly #source: AsyncIterator<Message>;
  /** Those that an attempt may still have to send, in their order. */
  readonly #kept: Message[] = [];
  #keptBytes = 0;
  #keeping = true;
  #end: { readonly error?: unknown } | undefined;
  #pulling: Promise<void> | undefined;
  /** The attempt that is being made: which message it sends next, and whether it wants any. */
  #attempt = { at: 0, left: false };

  constructor(schema: DescMessage, requests: AsyncIterable<Message>) {
    this.#schema = schema;
    this.#source = requests[Symbol.asyncIterator]();
  }

  /** Whether another attempt can send all of them. */
  get complete(): boolean {
    return this.#keeping && !(this.#end && "error" in this.#end);
  }

  /** The requests for one more attempt; the one before gets no more. */
  fromFirst(): AsyncIterable<Message> {
    const attempt = { at: 0, left: false };
    this.#attempt = attempt;
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => this.#next(attempt),
        return: async () => {
          attempt.left = true;
          if (!this.#keeping && attempt === this.#attempt) this.release();
          return { done: true, value: undefined };
        },
      }),
    };
  }

  /** The attempt that is being made is the last. */
  commit(): void {
    if (!this.#keeping) return;
    this.#keeping = false;
    this.#kept.splice(0, this.#attempt.at);
    this.#attempt.at = 0;
    if (this.#attempt.left) this.release();
  }

  /** Nobody wants any more: the caller's iterator need not make them. */
  release(): void {
    if (this.#end) return;
    this.#end = {};
    this.#source.return?.().catch(() => {});
  }

  async #next(attempt: { at: number }): Promise<IteratorResult<Message, undefined>> {
    // An attempt that has failed may still be waiting for its next message, which is for the one after it.
    while (attempt === this.#attempt) {
      const value = this.#keeping ? this.#kept[attempt.at] : this.#kept.shift();
      if (value) {
        if (this.#keeping) attempt.at += 1;
        return { done: false, value };
      }
      if (this.#end) {
        if ("error" in this.#end) throw this.#end.error;
        break;
      }
      this.#pulling ??= this.#pull();
      await this.#pulling;
    }
    return { done: true, value: undefined };
  }

  async #pull(): Promise<void> {
    try {
      const { done, value } = await this.#source.next();
      if (done) this.#end ??= {};
      else this.#keep(value);
    } catch (error) {
      this.#end ??= { error };
    } finally {
      this.#pulling = undefined;
    }
  }

  #keep(message: Message): void {
    this.#kept.push(message);
    if (!this.#keeping) return;
    this.#keptBytes += toBinary(this.#schema, message).byteLength;
    if (this.#keptBytes > MAX_KEPT_BYTES || this.#kept.length > MAX_KEPT_MESSAGES) this.commit();
  }
}
