/** The page's connection to the gateway. It connects again by itself, and then asks everything anew. */
import { io } from "socket.io-client";
import type { LivePoint, TraceSummary, WholeTrace, WorkerEntry } from "./api.ts";
import { createStore } from "./store.ts";
import { type Catalog, readCatalog } from "./try/catalog.ts";

export type Connection =
  | { readonly state: "connecting" | "connected" | "lost" }
  /** The gateway asks who looks. */
  | { readonly state: "refused"; readonly reason: string };

export const connection = createStore<Connection>({ state: "connecting" });
/** Undefined until it is known. */
export const catalog = createStore<Catalog | undefined>(undefined);
export const points = createStore<readonly LivePoint[]>([]);
/** The newest first. */
export const traces = createStore<readonly TraceSummary[] | undefined>(undefined);

const MOST_POINTS = 450;
const MOST_TRACES = 1_000;
const TOKEN = "gantry-console-token";

const socket = io("/console", {
  transports: ["websocket"],
  reconnectionDelay: 250,
  reconnectionDelayMax: 2_000,
  // Asked for with each attempt, so that a token counts from the moment in which it is given.
  auth: (give) => give({ token: sessionStorage.getItem(TOKEN) ?? undefined }),
});

/** An answer of the gateway, with `error` where it could not do what was asked. */
export type Answer = Readonly<Record<string, unknown>>;

export function ask(event: string, payload?: unknown): Promise<Answer> {
  return new Promise((resolve) => socket.emit(event, payload ?? null, resolve));
}

let asked = 0;

/** Calls a method whose request has no fields that have to be set: `greeter:gantry.v1.Admin/Explain`. */
export function askMethod(method: string): Promise<Answer> {
  asked += 1;
  return ask("call", { id: `page-${asked}`, method, request: {} });
}

export const stream = {
  on(event: string, listener: (payload: Answer, acknowledge?: () => void) => void) {
    socket.on(event, listener);
    return () => void socket.off(event, listener);
  },
};

/** Shows the gateway who looks; kept until the tab is closed. */
export function present(token: string): void {
  sessionStorage.setItem(TOKEN, token);
  connection.set({ state: "connecting" });
  socket.disconnect().connect();
}

export async function askWorkers(): Promise<void> {
  // The gateway answers in the shapes of api.ts.
  const { workers } = (await ask("workers")) as { workers?: WorkerEntry[] };
  if (workers) catalog.set(readCatalog(workers, catalog.get()));
}

export async function askTrace(id: string): Promise<WholeTrace | undefined> {
  const { trace } = (await ask("trace", id)) as { trace?: WholeTrace };
  return trace;
}

socket.on("connect", async () => {
  connection.set({ state: "connected" });
  await askWorkers();
  // Likewise.
  const [live, known] = (await Promise.all([ask("live"), ask("traces")])) as [
    { points?: LivePoint[] },
    { traces?: TraceSummary[] },
  ];
  points.set(live.points ?? []);
  traces.set(known.traces ?? []);
});
socket.on("disconnect", () => connection.set({ state: "lost" }));
socket.on("connect_error", (error) => {
  const refused = "data" in error && error.data;
  if (refused) connection.set({ state: "refused", reason: error.message });
  else if (connection.get().state !== "connecting") connection.set({ state: "lost" });
  else setTimeout(() => connection.get().state === "connecting" && connection.set({ state: "lost" }), 500);
});

socket.on("live", (point: LivePoint) => {
  const before = points.get();
  points.set([...before.slice(1 - MOST_POINTS), point]);
  if (hasChanged(before.at(-1), point)) void askWorkers();
});

/** Whether a worker came, went, or is another process. */
function hasChanged(before: LivePoint | undefined, { workers }: LivePoint): boolean {
  const known = catalog.get();
  return Object.entries(workers).some(([name, { up, startedAt }]) => {
    const last = before?.workers[name];
    const isShown = known?.workers.find((worker) => worker.name === name)?.problem === undefined;
    return (last !== undefined && last.startedAt !== startedAt) || (up && !isShown);
  });
}

socket.on("traces", (changed: readonly TraceSummary[]) => {
  const ids = new Set(changed.map(({ traceId }) => traceId));
  const others = (traces.get() ?? []).filter(({ traceId }) => !ids.has(traceId));
  traces.set([...changed, ...others].sort((a, b) => b.startMs - a.startMs).slice(0, MOST_TRACES));
});
