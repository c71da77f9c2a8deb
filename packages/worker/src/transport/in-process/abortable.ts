/**
 * The elements of `source`, mapped, until `fail` is called: whoever waits for the next one then gets
 * the error, even where the source never gives another. Where the source itself fails, `onError` is told.
 */
export function abortable<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  map: (element: T) => R,
  onError: (error: unknown) => void,
) {
  const inner = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const waiting = new Set<(error: Error) => void>();
  let failure: Error | undefined;

  const ask = async (): Promise<IteratorResult<R, undefined>> => {
    const result = await inner.next();
    return result.done ? { done: true, value: undefined } : { done: false, value: map(result.value) };
  };
  const iterable: AsyncIterableIterator<R, undefined> = {
    [Symbol.asyncIterator]: () => iterable,
    next() {
      if (failure) return Promise.reject(failure);
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<R, undefined>>();
      waiting.add(reject);
      ask()
        .then(resolve, (error) => {
          onError(error);
          reject(error);
        })
        .finally(() => waiting.delete(reject));
      return promise;
    },
    async return() {
      await inner.return?.();
      return { done: true, value: undefined };
    },
  };
  return {
    iterable,
    fail(error: Error) {
      failure ??= error;
      for (const reject of waiting) reject(failure);
    },
  };
}
