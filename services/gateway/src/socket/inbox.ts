import { Code, PulledStream, RpcError } from "@gantry/rpc";

interface Waiting<T> {
  readonly item: T;
  readonly taken: () => void;
  readonly left: (error: RpcError) => void;
}

/** Requests on their way from a socket to a call, which takes them at its own speed. */
export class Inbox<T> {
  /** What the call reads. */
  readonly requests: AsyncIterable<T>;
  readonly #stream: PulledStream<T>;
  readonly #most: number;
  readonly #waiting: Waiting<T>[] = [];
  #wanted = false;
  #ended = false;

  /** @param most how many may wait to be taken */
  constructor(most: number) {
    this.#most = most;
    this.#stream = new PulledStream<T>(
      () => {
        this.#wanted = true;
        this.#give();
      },
      () => this.leave(),
    );
    this.requests = this.#stream;
  }

  /**
   * Resolves when the call has taken it.
   *
   * @throws RpcError FAILED_PRECONDITION after the end, or where the call ends before it takes it;
   * RESOURCE_EXHAUSTED where too many wait already
   */
  put(item: T): Promise<void> {
    if (this.#ended) throw takesNoMore();
    if (this.#waiting.length >= this.#most) {
      throw new RpcError(
        Code.ResourceExhausted,
        `${this.#most} requests wait already: expected each to be sent when those before it were acknowledged.`,
      );
    }
    return new Promise((taken, left) => {
      this.#waiting.push({ item, taken, left });
      this.#give();
    });
  }

  /** There are no more: the call gets those that wait, and then the end. */
  end(): void {
    this.#ended = true;
    this.#give();
  }

  /** The call is over: nobody takes any more. */
  leave(): void {
    this.#ended = true;
    for (const { left } of this.#waiting.splice(0)) left(takesNoMore());
  }

  #give(): void {
    if (!this.#wanted) return;
    const next = this.#waiting.shift();
    if (next) {
      this.#wanted = false;
      this.#stream.push(next.item);
      next.taken();
    } else if (this.#ended) {
      this.#stream.end();
    }
  }
}

function takesNoMore(): RpcError {
  return new RpcError(Code.FailedPrecondition, "The call takes no more requests.");
}
