/** A stream whose first element never comes, and a promise of its being left. */
export function stuckStream() {
  const { promise: left, resolve } = Promise.withResolvers<void>();
  const stream: AsyncIterable<never> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      async return() {
        resolve();
        return { done: true, value: undefined };
      },
    }),
  };
  return { stream, left };
}
