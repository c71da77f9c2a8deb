/** The life of a worker: each state comes after the one before it, and none comes back. */
export type WorkerState = (typeof WORKER_STATES)[number];

export const WORKER_STATES = ["starting", "serving", "draining", "stopped"] as const;
