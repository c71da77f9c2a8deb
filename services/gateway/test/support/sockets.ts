import type { Socket } from "socket.io-client";

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
