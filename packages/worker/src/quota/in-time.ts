/** Nothing came in time. */
export class LateError extends Error {
  override readonly name = "LateError";

  constructor(timeoutMs: number) {
    super(`It did not answer within ${timeoutMs}ms.`);
  }
}

/** A turn of the event loop uses up this part of the time at most. */
const LEAST_TURNS = 4;

/**
 * Waits for the answer to something, but no longer than so many milliseconds; the answer is then dropped.
 *
 * A worker that is busy is not to be taken for a peer that is slow. What arrives while the event loop is
 * held up is read only afterwards, and timers run before that. So the time goes by in steps, a late
 * timer counts for its step and no more, and the verdict is spoken once what has arrived is read.
 *
 * @throws LateError where the time is up
 */
export function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stepMs = Math.ceil(timeoutMs / LEAST_TURNS);
    let passedMs = 0;
    let timer: NodeJS.Timeout | undefined;
    const step = () => {
      timer = setTimeout(() => {
        passedMs += stepMs;
        if (passedMs < timeoutMs) step();
        else setImmediate(() => reject(new LateError(timeoutMs)));
      }, stepMs);
    };
    step();
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
