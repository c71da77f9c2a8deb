/**
 * What discovery does with etcd it does in sessions: connections to one member of it that end with the first
 * thing that goes wrong, and are followed by one to the next member. So nothing is half alive, and a member
 * that hangs, or has lost touch with the others, is left.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Auth, KV, Lease, Watch } from "@gantry/proto/etcd/api/etcdserverpb/rpc_pb.js";
import { formatHostAndPort, type HostAndPort, Metadata } from "@gantry/rpc";
import { type Channel, connect } from "../channel.ts";
import { createClient, type ServiceClient } from "../client.ts";
import { type ChannelCredentials, insecure, tls } from "../credentials.ts";
import type { Etcd } from "../etcd-target.ts";

/** Calls of one member of etcd. */
export interface EtcdSession {
  readonly kv: ServiceClient<typeof KV>;
  readonly lease: ServiceClient<typeof Lease>;
  readonly watch: ServiceClient<typeof Watch>;
  /** Of every call: the caller's token, and that a member without a leader is of no use. */
  readonly headers: Metadata;
}

/** How long etcd may take for an answer that it need not wait for. */
export const ANSWER_TIMEOUT_MS = 3_000;

/** etcd closes connections that ask for a sign of life more often than every 5 seconds. */
const KEEPALIVE = { keepaliveMs: 10_000, keepaliveTimeoutMs: 5_000 };
const RECONNECT = { connectTimeoutMs: 2_000, reconnectMinMs: 100, reconnectMaxMs: 1_000 };

/** Pauses between sessions, each up to a quarter shorter or longer so that not all come back at once. */
const PAUSES = { firstMs: 100, longestMs: 2_000, factor: 1.6, jitter: 0.25 };

/** Does work in one session with a member of etcd. */
export async function inSession<Result>(
  etcd: Etcd,
  member: HostAndPort,
  work: (session: EtcdSession) => Promise<Result>,
): Promise<Result> {
  const credentials = etcd.tls ? await tlsOf(etcd) : insecure;
  const channel = connect(`dns:///${formatHostAndPort(member)}`, { credentials, ...KEEPALIVE, ...RECONNECT });
  try {
    return await work({
      kv: createClient(KV, channel),
      lease: createClient(Lease, channel),
      watch: createClient(Watch, channel),
      headers: new Metadata([["hasleader", "true"], ...(await tokenOf(etcd, channel))]),
    });
  } finally {
    await channel.close(0);
  }
}

/** The sessions of one task, one after the other for as long as it is to go on. */
export interface Sessions {
  readonly etcd: Etcd;
  /** Aborts when they are to end. */
  readonly signal: AbortSignal;
  /**
   * Resolves or rejects when the session is of no more use. `signal` aborts when it is over; `onSuccess` tells
   * that it was of use.
   */
  work(session: EtcdSession, signal: AbortSignal, onSuccess: () => void): Promise<void>;
  /** Told of each session that ended by itself, in a sentence's words. */
  onFailure(reason: string): void;
}

export async function keepSessions({ etcd, signal, work, onFailure }: Sessions): Promise<void> {
  let pauseMs = PAUSES.firstMs;
  // Not everybody begins with the same member.
  let turn = Math.floor(Math.random() * etcd.hosts.length);
  const onSuccess = () => {
    pauseMs = PAUSES.firstMs;
  };
  while (!signal.aborted) {
    const member = memberAt(etcd, turn);
    // What waits on a session's signal goes with the session.
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    try {
      await inSession(etcd, member, (session) => work(session, either, onSuccess));
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      onFailure(`${formatHostAndPort(member)}: ${reason}`);
    } finally {
      ended.abort();
    }
    turn += 1;
    const jittered = pauseMs * (1 + PAUSES.jitter * (2 * Math.random() - 1));
    pauseMs = Math.min(pauseMs * PAUSES.factor, PAUSES.longestMs);
    // Who waits for nothing else need not wait for etcd.
    await delay(jittered, undefined, { signal, ref: false }).catch(() => {});
  }
}

export function memberAt({ hosts }: Etcd, turn: number): HostAndPort {
  const member = hosts[turn % hosts.length];
  if (!member) throw new TypeError("an etcd has no member");
  return member;
}

/** Read anew for each session, so that a certificate can be renewed. */
async function tlsOf({ files }: Etcd): Promise<ChannelCredentials> {
  const [ca, cert, key] = await Promise.all(
    [files.ca, files.cert, files.key].map((path) => (path ? readFile(path) : undefined)),
  );
  return tls({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
}

/** A token lasts for minutes where it is not used; each session has one of its own. */
async function tokenOf({ credentials }: Etcd, channel: Channel): Promise<[string, string][]> {
  const { username, password } = credentials();
  if (username === undefined || password === undefined) return [];
  const { token } = await createClient(Auth, channel).authenticate(
    { name: username, password },
    { timeoutMs: ANSWER_TIMEOUT_MS },
  );
  return [["token", token]];
}
