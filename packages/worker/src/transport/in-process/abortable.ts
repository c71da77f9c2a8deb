/**
 * The elements of `source`, mapped, until `fail` is called: whoever waits for the next one then gets
 * the error, even where the source never gives another.
 */
export function abortable<T, R>(source: AsyncIterable<T> | Iterable<T>, map: (element: T) => R) {
  const failed = Promise.withResolvers<never>();
  // Nobody may be waiting when it fails, and that is no unhandled rejection.
  failed.promise.catch(() => {});
  const inner = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const next = async (): Promise<IteratorResult<R, undefined>> => {
    const result = await Promise.race([inner.next(), failed.promise]);
    return result.done ? { done: true, value: undefined } : { done: false, value: map(result.value) };
  };
  const iterable: AsyncIterableIterator<R, undefined> = {
    [Symbol.asyncIterator]: () => iterable,
    next,
    async return() {
      await inner.return?.();
      return { done: true, value: undefined };
    },
  };
  return { iterable, fail: (error: Error) => failed.reject(error) };
}
