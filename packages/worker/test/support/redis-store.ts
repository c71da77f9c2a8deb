import assert from "node:assert/strict";
import type { QuotaRule } from "../../src/policy/policy.ts";
import { parseRedisAddress } from "../../src/quota/redis-address.ts";
import { createRedisStore, type RedisStoreOptions } from "../../src/quota/redis-store.ts";

/** A replica's store: the real one, without what stands in for it. */
export async function redisStore(address: string, options: Partial<RedisStoreOptions> = {}) {
  const store = await createRedisStore({
    address: parseRedisAddress(address),
    worker: "greeter",
    authorities: undefined,
    onReady: () => {},
    onLost: (reason) => assert.fail(`The store was lost: ${reason}`),
    ...options,
  });
  return {
    ...store,
    retain: (...together: readonly QuotaRule[][]) => store.retain(together.flat(), together),
    /** Whether one charge passes. */
    passes: async (rule: QuotaRule, subject: string) => (await store.take([{ rule, subject }])).allowed,
    [Symbol.asyncDispose]: () => store.close(),
  };
}
