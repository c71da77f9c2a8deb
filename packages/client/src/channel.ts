import { closed } from "./local-errors.ts";
import { parseTarget } from "./target.ts";
import { createGrpcTransport } from "./transport/grpc-js/grpc-channel.ts";
import type { ConnectionOptions, Transport } from "./transport/transport.ts";

/** What can be done with the connections of a client, or of a channel that several clients share. */
export interface Connection extends AsyncDisposable {
  /**
   * Resolves once the server can be called. A call need not wait for it: it connects by itself. Rejects with
   * FAILED_PRECONDITION where an `xds:` target lacks what it needs.
   *
   * @param timeoutMs rejects with DEADLINE_EXCEEDED after so long. Default: waits for as long as it takes
   */
  ready(timeoutMs?: number): Promise<void>;
  /**
   * Lets no more calls begin, waits for those in flight, and closes the connections. A second call waits
   * for the first.
   *
   * @param timeoutMs cancels what is still in flight after so long. Default: waits for as long as it takes
   */
  close(timeoutMs?: number): Promise<void>;
}

/** Connections to one target, made when they are first needed. Several clients can share one channel. */
export interface Channel extends Connection {
  /** As it was given. */
  readonly target: string;
}

/**
 * Makes a channel for clients to share; who needs only one client gives the target to `createClient`.
 *
 * ```ts
 * await using channel = connect("dns:///greeter:50051");
 * const greeter = createClient(Greeter, channel);
 * const health = createClient(Health, channel);
 * ```
 *
 * @throws TypeError where the target is none
 */
export function connect(target: string, options: ConnectionOptions = {}): Channel {
  return new OpenChannel(target, options);
}

export class OpenChannel implements Channel {
  readonly target: string;
  /** Whether what is sent can be read on the way. */
  readonly exposed: boolean;
  readonly transport: Transport;
  #inFlight = 0;
  #closed: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(target: string, options: ConnectionOptions) {
    const parsed = parseTarget(target);
    this.target = target;
    this.exposed = !options.credentials?.secure && !parsed.local;
    this.transport = createGrpcTransport(parsed, options);
  }

  /** Counts a call in until `leave`. @throws RpcError UNAVAILABLE once the channel is closed */
  enter(): void {
    if (this.#closed) throw closed(this.target);
    this.#inFlight += 1;
  }

  leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#idle?.();
  }

  async ready(timeoutMs?: number): Promise<void> {
    if (this.#closed) throw closed(this.target);
    await this.transport.ready(timeoutMs);
  }

  close(timeoutMs?: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  async #close(timeoutMs: number | undefined): Promise<void> {
    if (this.#inFlight > 0) {
      const { promise: idle, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      await idle;
      clearTimeout(timer);
    }
    this.transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
