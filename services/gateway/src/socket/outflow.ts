import type { Socket } from "socket.io";
import { LIMITS } from "./limits.ts";

/** What leaves for a client, no faster than its connection takes it. */
export class Outflow {
  readonly #conn: Socket["conn"];
  readonly #flooded: () => void;
  /** Packets that have been made since the connection last took some. */
  #waiting = 0;
  #next: PromiseWithResolvers<void> | undefined;
  #ended = false;

  /** @param flooded called where far more waits than a client that reads would let wait */
  constructor(conn: Socket["conn"], flooded: () => void) {
    this.#conn = conn;
    this.#flooded = flooded;
    conn.on("packetCreate", this.#onPacket).on("drain", this.#onTaken);
  }

  /** The socket is gone. Its connection may stay, and be another socket's. */
  end(): void {
    this.#ended = true;
    this.#conn.off("packetCreate", this.#onPacket).off("drain", this.#onTaken);
    this.#onTaken();
  }

  /** Resolves when the connection has taken what `emit` sends, or is gone. */
  async send(emit: () => void): Promise<void> {
    if (this.#ended) return;
    // It may take it at once.
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    emit();
    await promise;
  }

  /** Resolves when nothing waits, or after a moment. */
  async emptied(): Promise<void> {
    if (this.#ended || this.#waiting === 0) return;
    this.#next ??= Promise.withResolvers();
    const { promise, resolve } = this.#next;
    const timer = setTimeout(resolve, LEAVES_WITHIN_MS);
    await promise;
    clearTimeout(timer);
  }

  readonly #onPacket = () => {
    this.#waiting += 1;
    if (this.#waiting === LIMITS.packetsWaiting) this.#flooded();
  };

  readonly #onTaken = () => {
    this.#waiting = 0;
    this.#next?.resolve();
    this.#next = undefined;
  };
}

const LEAVES_WITHIN_MS = 1_000;

/** Breaks a connection. Of a WebSocket that reads nothing a goodbye would be waited for, for half a minute. */
export function cut(conn: Socket["conn"]): void {
  const { transport } = conn;
  conn.close(true);
  // The transport of WebSockets has one; it is no part of the type that all transports share.
  const { socket } = transport as { socket?: { terminate?(): void } };
  socket?.terminate?.();
}
