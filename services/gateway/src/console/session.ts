import type { Channel } from "@gantry/client";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import type { Logger } from "@gantry/worker";
import type { Socket } from "socket.io";
import { forCaller } from "../json/unexpected.ts";
import { Calls } from "../socket/calls.ts";
import { LIMITS } from "../socket/limits.ts";
import { cut, Outflow } from "../socket/outflow.ts";
import type { Ack } from "../socket/replies.ts";
import { Directory } from "./directory.ts";
import type { Live } from "./live.ts";
import type { Traces } from "./traces.ts";

export interface ConsoleSessionOptions {
  /** Where each worker is, by its name. */
  readonly channels: ReadonlyMap<string, Channel>;
  readonly live: Live;
  readonly traces: Traces;
  readonly log: Logger;
  /** Who looks, for the calls that are made for them. */
  readonly headers: Metadata;
}

/** Serves one page of the console over its socket, until that is gone. */
export function serveConsole(
  socket: Socket,
  { channels, live, traces, log, headers }: ConsoleSessionOptions,
): void {
  const gone = new AbortController();
  const outflow = new Outflow(socket.conn, () => {
    log.warn({ packets: LIMITS.packetsWaiting }, "a page of the console that takes no answers was closed");
    cut(socket.conn);
  });
  const directory = new Directory(channels);
  const errorOf = (error: unknown) => directory.codec.status(forCaller(error, log));
  const calls = new Calls({
    methods: directory.methods,
    codec: directory.codec,
    clientOf: (service) => directory.clientOf(service),
    headers: () => new Metadata(headers),
    readHeaders: anyMetadata,
    signal: gone.signal,
    emit: (event, payload, onAck) =>
      outflow.send(() => {
        if (onAck) socket.emit(event, payload, onAck);
        else socket.emit(event, payload);
      }),
    errorOf,
  });

  const answers: Readonly<Record<string, (payload: unknown, ack: Ack) => unknown>> = {
    workers: async () => ({ workers: await directory.refresh(headers) }),
    live: () => ({ points: live.points }),
    traces: () => ({ traces: traces.list() }),
    trace: (id) => ({ trace: traces.get(String(id)) }),
    call: (payload, ack) => calls.begin(payload, ack),
    "call:send": async (payload) => {
      await calls.send(payload);
      return { ok: true };
    },
    "call:half-close": (payload) => {
      calls.halfClose(payload);
      return { ok: true };
    },
    "call:cancel": (payload) => {
      calls.cancel(payload);
      return { ok: true };
    },
  };

  // Without a listener, Socket.IO would print it.
  socket.on("error", (error) => log.debug({ err: error }, "a socket of the console failed"));
  socket.onAny(async (event: string | number, payload: unknown, ack: unknown) => {
    // What a page wants of the console it wants to hear of.
    if (typeof ack !== "function") return;
    try {
      const answer = Object.hasOwn(answers, event) ? answers[event] : undefined;
      if (!answer) throw new RpcError(Code.Unimplemented, "The console has no such event.");
      const result = await answer(payload, (given) => ack(given));
      if (result !== undefined) ack(result);
    } catch (error) {
      ack({ error: errorOf(error) });
    }
  });
  const forgetLive = live.subscribe((point) => socket.volatile.emit("live", point));
  const forgetTraces = traces.subscribe((summaries) => socket.volatile.emit("traces", summaries));
  socket.on("disconnect", () => {
    forgetLive();
    forgetTraces();
    outflow.end();
    gone.abort();
  });
}

/** Every key that a call may carry: who tries a method says all of its metadata. */
function anyMetadata(headers: Readonly<Record<string, unknown>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) {
    try {
      metadata.append(key, key.endsWith("-bin") ? Buffer.from(String(value), "base64") : String(value));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new RpcError(Code.InvalidArgument, `The metadata is not valid: ${reason}`);
    }
  }
  return metadata;
}
