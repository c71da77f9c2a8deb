/**
 * grpc-js waits for as long as it takes for the first answer of a server that has accepted a connection.
 * One that never answers, as a hung process behind an open port, would keep its address, and a channel
 * that has no other, from ever being tried again: https://github.com/grpc/grpc-node/issues/2785.
 * Credentials are where a channel lets others touch a connection while it is made, so the time limit
 * is set there.
 */
import type { Socket } from "node:net";
import { formatDurationMs } from "@gantry/rpc";
import { ChannelCredentials, type experimental } from "@grpc/grpc-js";

type SecureConnector = experimental.SecureConnector;

/** The same credentials, on connections that are given up unless the server answers in time. */
export class GuardedCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #timeoutMs: number;

  constructor(inner: ChannelCredentials, timeoutMs: number) {
    super();
    this.#inner = inner;
    this.#timeoutMs = timeoutMs;
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  /** Channels whose credentials are equal share their connections. */
  override _equals(other: ChannelCredentials): boolean {
    return (
      other instanceof GuardedCredentials &&
      other.#timeoutMs === this.#timeoutMs &&
      this.#inner._equals(other.#inner)
    );
  }

  override _createSecureConnector(
    ...args: Parameters<ChannelCredentials["_createSecureConnector"]>
  ): SecureConnector {
    const inner = this.#inner._createSecureConnector(...args);
    return {
      connect: (socket) => connectInTime(inner, socket, this.#timeoutMs),
      waitForReady: () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }
}

async function connectInTime(inner: SecureConnector, socket: Socket, timeoutMs: number) {
  const silent = Promise.withResolvers<never>();
  let secured: Socket | undefined;
  let bytesBefore = 0;
  const timer = setTimeout(() => {
    // An HTTP/2 server says its settings first, without being asked: one byte of them will do.
    if (secured && secured.bytesRead > bytesBefore) return;
    const error = new Error(
      `the server accepted the connection and did not answer within ${formatDurationMs(timeoutMs)}`,
    );
    silent.reject(error);
    (secured ?? socket).destroy(error);
  }, timeoutMs);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
  const result = await Promise.race([inner.connect(socket), silent.promise]);
  bytesBefore = result.secure ? result.socket.bytesRead : 0;
  secured = result.socket;
  return result;
}
