/** Requests of which one comes and then no more, and when nobody wants them any longer. */
export function endless() {
  const letGo = Promise.withResolvers<void>();
  const never = new Promise<never>(() => {});
  return {
    letGo: letGo.promise,
    [Symbol.asyncIterator]() {
      let sent = 0;
      return {
        next: () => (sent++ === 0 ? Promise.resolve({ done: false, value: { count: 1 } }) : never),
        async return() {
          letGo.resolve();
          return { done: true as const, value: undefined };
        },
      };
    },
  };
}
