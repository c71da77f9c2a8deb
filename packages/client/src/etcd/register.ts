/** A worker's place in etcd, where clients of `etcd:` targets find it. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Code, formatDurationMs, type HostAndPort, RpcError } from "@gantry/rpc";
import type { Etcd } from "../etcd-target.ts";
import { entryOf } from "./keys.ts";
import { ANSWER_TIMEOUT_MS, type EtcdSession, inSession, keepSessions, memberAt } from "./session.ts";

export interface RegistrationOptions {
  /** Where etcd is, and the prefix of the worker's key. */
  readonly etcd: Etcd;
  /** The name that clients ask for: `greeter` of `etcd:///greeter`. */
  readonly name: string;
  /** Where clients reach the worker. */
  readonly address: HostAndPort;
  /** How long it stays in etcd when it says nothing more. Rounded up to seconds; etcd has a least of its own, 2 s. */
  readonly ttlMs: number;
  /** Each time that it stands in etcd from now on, which it did not before. */
  readonly onRegistered: () => void;
  /** Each time that it may stand there no more, or could not be put there; repeated while that lasts. */
  readonly onLost: (reason: string) => void;
}

export interface Registration {
  /** Takes the worker out of etcd. Rejects where etcd has not answered in time: the lease's end does it then. */
  leave(timeoutMs: number): Promise<void>;
}

/** Keeps a worker in etcd until it leaves, through every outage of etcd. */
export function register(options: RegistrationOptions): Registration {
  const { etcd, onLost } = options;
  const leaving = new AbortController();
  // Chosen here, so that whatever becomes of an answer, there is one lease to renew and to revoke.
  const leaseId = randomBytes(8).readBigInt64BE() & 0x7fff_ffff_ffff_ffffn;
  void keepSessions({
    etcd,
    signal: leaving.signal,
    work: (session, signal, onSuccess) => stay(session, leaseId, options, signal, onSuccess),
    onFailure: onLost,
  });
  return {
    leave(timeoutMs) {
      leaving.abort();
      // What a session has sent and etcd not yet seen fails, for it names a lease that is gone.
      return revoke(etcd, leaseId, Date.now() + timeoutMs);
    },
  };
}

/** Registers, and renews the lease three times in its life until it is gone. */
async function stay(
  session: EtcdSession,
  leaseId: bigint,
  { etcd, name, address, ttlMs, onRegistered }: RegistrationOptions,
  signal: AbortSignal,
  onSuccess: () => void,
): Promise<void> {
  const { headers } = session;
  const call = { headers, signal, timeoutMs: ANSWER_TIMEOUT_MS };
  await session.lease
    .leaseGrant({ ID: leaseId, TTL: BigInt(Math.ceil(ttlMs / 1_000)) }, call)
    .catch((error) => {
      if (!(error instanceof RpcError) || error.code !== Code.FailedPrecondition) throw error;
      // It is still there from an earlier session.
    });
  await session.kv.put({ ...entryOf(etcd.prefix, name, address), lease: leaseId }, call);

  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(), (ttlMs * 2) / 3).unref();
  const ends = AbortSignal.any([signal, silent.signal]);
  try {
    const renewals = renewalsOf(leaseId, ttlMs / 3, ends);
    let told = false;
    for await (const { TTL } of session.lease.leaseKeepAlive(renewals, { headers, signal: ends })) {
      if (TTL <= 0n) throw new Error("the lease has ended");
      timer.refresh();
      if (!told) onRegistered();
      told = true;
      onSuccess();
    }
    throw new Error("etcd ended the stream of renewals");
  } catch (error) {
    if (silent.signal.aborted) throw new Error(`no answer within ${formatDurationMs((ttlMs * 2) / 3)}`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function* renewalsOf(leaseId: bigint, everyMs: number, signal: AbortSignal) {
  while (!signal.aborted) {
    yield { ID: leaseId };
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}

/** Ends the lease, and with it all that stands under it. Asks one member after the other. */
async function revoke(etcd: Etcd, leaseId: bigint, giveUpAt: number): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      await inSession(etcd, memberAt(etcd, turn), ({ lease, headers }) =>
        lease.leaseRevoke({ ID: leaseId }, { headers, timeoutMs: Math.max(1, giveUpAt - Date.now()) }),
      );
      return;
    } catch (error) {
      if (error instanceof RpcError && error.code === Code.NotFound) return;
      if (turn + 1 >= etcd.hosts.length || Date.now() >= giveUpAt) throw error;
    }
  }
}
