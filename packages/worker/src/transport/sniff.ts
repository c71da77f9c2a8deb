/**
 * HTTP/2 and HTTP/1.1 on one plaintext port. A client of HTTP/2 that did not ask first begins with a fixed
 * text, chosen so that no request of HTTP/1.1 begins alike (RFC 9113, section 3.4): its first bytes tell the
 * two apart, once per connection, and are put back.
 */
import type { Socket } from "node:net";

/** What takes over a connection, by its protocol. Who speaks one that nobody takes is shown the door. */
export interface ConnectionHandlers {
  readonly http2?: ((socket: Socket) => void) | undefined;
  readonly http1?: ((socket: Socket) => void) | undefined;
}

export interface Sniffer {
  /** Waits for a connection's first bytes and hands it over. */
  accept(socket: Socket): void;
  /** Closes the connections that have not said yet what they speak. */
  stopAccepting(): void;
}

/** Methods of HTTP/1.1 part from it by the third letter: PROPFIND is next of kin. */
const PREFACE = Buffer.from("PRI ");

/** A connection that has not said by then what it speaks is closed. */
export const FIRST_BYTES_WITHIN_MS = 10_000;

export function createSniffer({ http2, http1 }: ConnectionHandlers): Sniffer {
  const undecided = new Set<Socket>();
  const handOver = (socket: Socket, handler: ((socket: Socket) => void) | undefined) => {
    if (handler) handler(socket);
    else socket.destroy();
  };

  return {
    accept(socket) {
      let seen: Buffer = Buffer.alloc(0);
      const late = setTimeout(() => socket.destroy(), FIRST_BYTES_WITHIN_MS);
      const leave = () => {
        clearTimeout(late);
        undecided.delete(socket);
        socket.off("readable", look).off("end", hangUp).off("close", leave);
      };
      const hangUp = () => socket.destroy();
      const look = () => {
        const chunk: Buffer | null = socket.read();
        if (chunk === null) return;
        seen = seen.byteLength === 0 ? chunk : Buffer.concat([seen, chunk]);
        const speaks = protocolOf(seen);
        if (speaks === undefined) return;
        leave();
        socket.unshift(seen);
        handOver(socket, speaks === "http2" ? http2 : http1);
      };
      undecided.add(socket);
      // A connection that breaks is no news; without a listener it would end the process.
      socket.on("error", ignore);
      socket.on("readable", look).on("end", hangUp).on("close", leave);
    },
    stopAccepting() {
      for (const socket of undecided) socket.destroy();
    },
  };
}

/** What a connection speaks that begins like this; undefined: both could still be. */
export function protocolOf(firstBytes: Uint8Array): "http2" | "http1" | undefined {
  const bytes = Math.min(firstBytes.byteLength, PREFACE.byteLength);
  if (PREFACE.compare(firstBytes, 0, bytes, 0, bytes) !== 0) return "http1";
  return bytes < PREFACE.byteLength ? undefined : "http2";
}

function ignore(): void {}
