import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

export interface Failure {
  readonly error: { readonly code: number; readonly message: string; readonly details: object[] };
}

/** The next event of this name: its payload. */
export function next<T>(socket: Socket, event: string): Promise<T> {
  return new Promise((resolve) => socket.once(event, resolve));
}

/** What a call that streams gives to its client, which acknowledges each message. */
export function streamOf(
  socket: Socket,
  id: string,
): Promise<{ messages: unknown[]; end?: object; error?: object }> {
  const messages: unknown[] = [];
  return new Promise((resolve) => {
    socket.on("call:message", (payload: { id: string; message: unknown }, acknowledge: () => void) => {
      if (payload.id !== id) return;
      messages.push(payload.message);
      acknowledge();
    });
    socket.on("call:end", (end: { id: string }) => end.id === id && resolve({ messages, end }));
    socket.on("call:error", (error: { id: string }) => error.id === id && resolve({ messages, error }));
  });
}

/** A Socket.IO client of its own connection, which goes with it. */
export function connectSocket(url: string, options: Partial<ManagerOptions & SocketOptions> = {}) {
  const socket = io(url, { transports: ["websocket"], forceNew: true, reconnectionDelay: 20, ...options });
  return {
    socket,
    [Symbol.dispose]() {
      socket.disconnect();
    },
  };
}
