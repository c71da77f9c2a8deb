import { type Answer, ask, stream } from "../gateway.ts";
import { createStore, type Store } from "../store.ts";
import { type CatalogMethod, streamsRequests } from "./catalog.ts";

/** A message that went or came. */
export interface Passed {
  readonly way: "sent" | "received";
  /** Milliseconds since the call began. */
  readonly atMs: number;
  readonly message: unknown;
}

/** google.rpc.Status in JSON. */
export interface Status {
  readonly code: number;
  readonly message: string;
  readonly details: readonly Answer[];
}

export type Texts = Readonly<Record<string, string>>;

/** What became of a call until now. */
export interface CallState {
  readonly running: boolean;
  /** Whether it takes more requests. */
  readonly takesMore: boolean;
  readonly passed: readonly Passed[];
  /** Messages that are not kept any more. */
  readonly dropped: number;
  /** Undefined while it runs. */
  readonly status: Status | undefined;
  readonly headers: Texts;
  readonly trailers: Texts;
  readonly tookMs: number;
  /** When it ended, in milliseconds since the epoch. */
  readonly endedAt: number;
  /** What was wrong with a message that was sent later. */
  readonly complaint: string | undefined;
  readonly traceId: string | undefined;
}

export interface CallInput {
  readonly request: unknown;
  readonly headers: Texts;
  readonly timeoutMs: number | undefined;
}

export interface RunningCall {
  readonly state: Store<CallState>;
  send(message: unknown): void;
  halfClose(): void;
  cancel(): void;
}

const MOST_SHOWN = 500;
const LOST: Status = { code: 14, message: "The connection to the gateway was lost.", details: [] };
let calls = 0;

/** Begins a call; for a method that streams its requests, the input's is the first of them. */
export function beginCall(method: CatalogMethod, { request, headers, timeoutMs }: CallInput): RunningCall {
  calls += 1;
  const id = `${calls}`;
  const began = performance.now();
  const many = streamsRequests(method);
  const traceId = headers.traceparent === undefined ? randomHex(16) : undefined;
  const state = createStore<CallState>({
    running: true,
    takesMore: many,
    passed: [],
    dropped: 0,
    status: undefined,
    headers: {},
    trailers: {},
    tookMs: 0,
    endedAt: 0,
    complaint: undefined,
    traceId,
  });
  const update = (change: Partial<CallState>) => state.set({ ...state.get(), ...change });
  const pass = (way: Passed["way"], message: unknown) => {
    const { passed, dropped } = state.get();
    const all = [...passed, { way, message, atMs: performance.now() - began }];
    const over = Math.max(0, all.length - MOST_SHOWN);
    update({ passed: all.slice(over), dropped: dropped + over });
  };
  const end = (answer: Answer) => {
    for (const leave of left) leave();
    if (answer.message !== undefined) pass("received", answer.message);
    update({
      running: false,
      takesMore: false,
      // An answer's fields are as docs/gateway.md has them.
      status: (answer.error as Status | undefined) ?? { code: 0, message: "", details: [] },
      headers: (answer.headers as Texts | undefined) ?? {},
      trailers: (answer.trailers as Texts | undefined) ?? {},
      tookMs: performance.now() - began,
      endedAt: Date.now(),
    });
  };
  const ofThis = (listener: (payload: Answer) => void) => (payload: Answer, acknowledge?: () => void) => {
    if (payload.id !== id) return;
    listener(payload);
    acknowledge?.();
  };
  const left = [
    stream.on(
      "call:message",
      ofThis(({ message }) => pass("received", message)),
    ),
    stream.on("call:end", ofThis(end)),
    stream.on("call:error", ofThis(end)),
    stream.on("disconnect", () => end({ error: LOST })),
  ];

  const payload = {
    id,
    method: `${method.worker}:${method.name}`,
    headers:
      traceId === undefined ? headers : { ...headers, traceparent: `00-${traceId}-${randomHex(8)}-01` },
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(!many && { request }),
  };
  const send = async (message: unknown) => {
    pass("sent", message);
    const { error } = await ask("call:send", { id, message });
    // The gateway's error is a google.rpc.Status.
    if (error) update({ complaint: (error as Status).message });
  };
  void ask("call", payload).then((answer) => {
    if (!answer.streaming) end(answer);
  });
  if (many) void send(request);

  return {
    state,
    send: (message) => void send(message),
    halfClose() {
      update({ takesMore: false });
      void ask("call:half-close", { id });
    },
    cancel: () => void ask("call:cancel", { id }),
  };
}

function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
