import { useLayoutEffect, useState } from "preact/hooks";

/** A value that views follow. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value of a store; the view is drawn anew when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, draw] = useState({});
  const value = store.get();
  // What was drawn is compared when following begins: between the two the store may have changed.
  useLayoutEffect(() => {
    if (store.get() !== value) draw({});
    return store.subscribe(() => draw({}));
  }, [store]);
  return value;
}
