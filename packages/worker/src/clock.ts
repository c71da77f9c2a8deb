/** Time as a worker sees it; tests bring their own and move it. */
export interface Clock {
  /** Milliseconds that only grow, from any start. */
  now(): number;
}

export const systemClock: Clock = { now: () => performance.now() };
