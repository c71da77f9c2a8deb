/** Tells what is still to come from what is there. A message may have a field `then`, but no function in it. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T>;
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T>;
export function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
