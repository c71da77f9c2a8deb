import { randomUUID } from "node:crypto";
import { type Bucket, inMs, remaining, untilFullUs, untilNextUs } from "./bucket.ts";
import { connectRedis, type RedisClientOptions } from "./redis-client.ts";
import { RedisKeys, type RedisRule } from "./redis-keys.ts";
import { CHECK_IN, TAKE } from "./redis-scripts.ts";
import type { RemoteStore } from "./remote-store.ts";
import type { BucketState, Charge, Decision, Refusal } from "./store.ts";

export interface RedisStoreOptions extends RedisClientOptions {
  /** The worker's name: workers of one name share their counts. */
  readonly worker: string;
  /** The time in whole microseconds, for tests. Default: the server's, so that no replica's clock matters. */
  readonly nowUs?: () => number;
}

/** A replica that has not checked in for so long is taken for gone. */
const GONE_AFTER_MS = 10_000;

/** Counts in Redis or Valkey, by the rule of `bucket.ts`. Resolves once a first attempt to connect has ended. */
export async function createRedisStore(options: RedisStoreOptions): Promise<RemoteStore> {
  const { worker, nowUs } = options;
  const client = connectRedis(options);
  const keys = new RedisKeys(worker);
  const replica = randomUUID();
  await client.tried;

  return {
    async take(charges) {
      const rules = charges.map(({ rule }) => keys.of(rule));
      const buckets = charges.map(({ rule, subject }) => keys.of(rule).keyOf(subject));
      const now = nowUs ? String(nowUs()) : "";
      const answer = await client.run(TAKE, buckets, [now, ...rules.flatMap(({ args }) => args)]);
      return decisionOf(charges, rules, numbersOf(answer, 2 + 2 * charges.length));
    },

    async checkIn(failed) {
      const seen = client.run(CHECK_IN, [keys.replicas], [replica, String(GONE_AFTER_MS)]);
      // A server that was started anew learns the script here, so that no call takes a second round trip for it.
      const learned = client.run(TAKE, [], [""]);
      const reached = failed.map(({ rule, subject }) => client.reach(keys.of(rule).keyOf(subject)));
      const [replicas] = await Promise.all([seen, learned, ...reached]);
      return Number(replicas);
    },

    retain: (_rules, together) => keys.retain(together),

    async close() {
      client.close();
    },
  };
}

function numbersOf(answer: unknown, count: number): number[] {
  const numbers = String(answer).split(" ").map(Number);
  if (numbers.length === count && numbers.every(Number.isSafeInteger)) return numbers;
  throw new Error(`The script for quotas answered "${answer}": expected ${count} whole numbers.`);
}

/** What the script's answer comes to: `<charged> <nowUs>`, then `<sinceUs> <spent>` for each bucket. */
function decisionOf(
  charges: readonly Charge[],
  rules: readonly RedisRule[],
  [charged = 0, nowUs = 0, ...buckets]: readonly number[],
): Decision {
  const states: BucketState[] = [];
  const refusals: Refusal[] = [];
  for (const [index, { rate }] of rules.entries()) {
    const charge = charges[index];
    const bucket: Bucket = { sinceUs: buckets[2 * index] ?? 0, spent: buckets[2 * index + 1] ?? 0 };
    const left = remaining(bucket, rate, nowUs);
    states.push({ remaining: left, resetMs: inMs(untilFullUs(bucket, rate, nowUs)) });
    if (charge && left < 1) {
      refusals.push({ charge, retryAfterMs: inMs(untilNextUs(bucket, rate, nowUs)) });
    }
  }
  return charged === 1 ? { allowed: true, states } : { allowed: false, refusals };
}
