import type { Metadata, MethodStats } from "@gantry/rpc";
import type { ChannelCredentials } from "../credentials.ts";
import type { ClientCall, ClientResponse } from "../interceptor.ts";

/** What puts calls on the wire. */
export interface Transport {
  /**
   * Makes one attempt at a call: resolves at the end of a call with one response message, at the headers
   * of one that streams them, and rejects with an `RpcError`.
   */
  call(attempt: Attempt): Promise<ClientResponse>;
  /** Resolves once calls can be made. Rejects with DEADLINE_EXCEEDED when `timeoutMs` have passed before. */
  ready(timeoutMs: number | undefined): Promise<void>;
  /** Closes the connections, and cancels the calls that are still in flight. None can be made any more. */
  close(): void;
}

/** A call on its way to the wire. */
export interface Attempt {
  readonly call: ClientCall;
  /** What is sent: those of the call, and those that belong to this attempt alone. */
  readonly headers: Metadata;
  /** Messages are counted here. */
  readonly stats: MethodStats;
  /** Called once when the attempt is over, well or not. */
  readonly ended: (code: number, message: string) => void;
}

export interface ConnectionOptions {
  /** How what is sent is protected. Default: `insecure`, which is plaintext. */
  readonly credentials?: ChannelCredentials;
  /**
   * The time that a connection may take, in milliseconds, from its first packet to the server's first
   * answer; a call that finds no connection in that time fails with UNAVAILABLE. Default 5,000.
   */
  readonly connectTimeoutMs?: number;
  /** While calls are in flight, a connection that was silent for so long is asked for a sign of life. Default 60,000. */
  readonly keepaliveMs?: number;
  /** The connection is given up, and its calls fail, where no sign comes for so long. Default 20,000. */
  readonly keepaliveTimeoutMs?: number;
  /** The pause before a lost connection is tried for the second time; each pause after it is 1.6 times longer. Default 200. */
  readonly reconnectMinMs?: number;
  /** The longest such pause. Default 10,000. */
  readonly reconnectMaxMs?: number;
  /** How often the name of a `dns:` target is looked up again. Default 10,000. */
  readonly reresolveMs?: number;
  /**
   * The etcd of an `etcd:///name` target: `etcd://host:port,…/prefix`, or `etcds://user:password@host:port` over
   * TLS. Default: the environment's `DISCOVERY`.
   */
  readonly discovery?: string;
  /** How request messages of 1 KiB and more are sent. Responses are read either way. Default `none`. */
  readonly compression?: "none" | "gzip";
}
