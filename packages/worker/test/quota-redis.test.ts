import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { needsRedis, type RedisServer, startRedis } from "../../../test/support/redis-server.ts";
import { createMemoryStore } from "../src/quota/memory-store.ts";
import { type RuleParts, ruleOf } from "./support/calls.ts";
import { history } from "./support/quota-histories.ts";
import { redisStore } from "./support/redis-store.ts";

const desc = Greeter.method.sayHello;
const rule = (parts: RuleParts) => ruleOf(desc, parts);

/** One for all tests, empty at the start of each; when it is started, no test runs that could do without. */
let redis: RedisServer | undefined;
after(() => redis?.[Symbol.asyncDispose]());

async function emptyRedis() {
  redis ??= await startRedis();
  await redis.command("flushall");
  return redis;
}

async function keysOf({ command }: RedisServer): Promise<string[]> {
  return (await command("keys", "*")).split("\n").filter((key) => key !== "");
}

/** As the server's clock has them: far from zero, with more digits than Lua prints of itself. */
const STARTS_US = [0, 1_800_000_000_123_457];

test(
  "decides as the store in memory does, to the microsecond, over the same random histories",
  needsRedis,
  async () => {
    const { address, command } = await emptyRedis();
    let nowUs = 0;
    await using store = await redisStore(`redis://${address}`, { nowUs: () => nowUs });
    for (let seed = 1; seed <= 30; seed += 1) {
      await command("flushall");
      const { rules, steps } = history(seed, { startUs: STARTS_US[seed % 2] ?? 0 });
      store.retain([...rules]);
      const memory = createMemoryStore({ clock: { now: () => nowUs / 1_000 }, maxSubjects: 1_000 });
      for (const { charges, name, ...step } of steps) {
        nowUs = step.nowUs;
        assert.deepEqual(await store.take(charges), memory.take(charges), name);
      }
    }
  },
);

test("replicas share one count, by the server's clock", needsRedis, async () => {
  const { address } = await emptyRedis();
  await using one = await redisStore(`redis://${address}`);
  await using other = await redisStore(`redis://${address}`);
  const thrice = rule({ limit: 3, windowMs: 60_000 });
  assert.equal(await one.passes(thrice, "七米"), true);
  assert.equal(await other.passes(thrice, "七米"), true);
  assert.equal(await one.passes(thrice, "七米"), true);
  const decision = await other.take([{ rule: thrice, subject: "七米" }]);
  assert.ok(!decision.allowed);
  const [refusal] = decision.refusals;
  assert.ok(
    refusal?.retryAfterMs !== undefined && refusal.retryAfterMs > 0 && refusal.retryAfterMs <= 20_000,
  );
  assert.equal(await other.passes(thrice, "小明"), true);
});

test("of calls at the same moment exactly `limit` pass, in one round trip each", needsRedis, async () => {
  const { address, command } = await emptyRedis();
  await using one = await redisStore(`redis://${address}`);
  await using other = await redisStore(`redis://${address}`);
  assert.equal(await one.passes(rule({}), "so that the server knows the script"), true);
  await command("config", "resetstat");
  const limited = rule({ limit: 100 });
  const calls = Array.from({ length: 1_000 }, (_, call) => (call % 2 ? one : other).passes(limited, "七米"));
  const passed = (await Promise.all(calls)).filter((allowed) => allowed);
  assert.equal(passed.length, 100);
  assert.match(await command("info", "commandstats"), /cmdstat_evalsha:calls=1000,/);
});

test("workers of other names count for themselves", needsRedis, async () => {
  const { address } = await emptyRedis();
  await using greeter = await redisStore(`redis://${address}`, { worker: "greeter" });
  await using math = await redisStore(`redis://${address}`, { worker: "math" });
  const once = rule({ limit: 1 });
  assert.equal(await greeter.passes(once, "七米"), true);
  assert.equal(await math.passes(once, "七米"), true);
});

test("a key goes when its bucket is full again, and not before", needsRedis, async () => {
  const server = await emptyRedis();
  await using store = await redisStore(`redis://${server.address}`);
  const brief = rule({ limit: 2, windowMs: 1_000 });
  assert.equal(await store.passes(brief, "七米"), true);
  assert.equal(await store.passes(brief, "七米"), true);
  const [key = ""] = await keysOf(server);
  const left = Number(await server.command("pttl", key));
  assert.ok(left > 0 && left <= 1_001, `${left} ms left`);
  while ((await keysOf(server)).length > 0) {
    // The server alone knows when it drops a key.
  }
  assert.deepEqual(await store.take([{ rule: brief, subject: "七米" }]), {
    allowed: true,
    states: [{ remaining: 1, resetMs: 500 }],
  });
});

test(
  "a quota without a window is kept for good, and a refusal leaves nothing behind",
  needsRedis,
  async () => {
    const server = await emptyRedis();
    await using store = await redisStore(`redis://${server.address}`);
    assert.equal(await store.passes(rule({ id: "lifetime", limit: 1 }), "七米"), true);
    assert.equal(await store.passes(rule({ id: "closed", limit: 0, windowMs: 1_000 }), "七米"), false);
    const keys = await keysOf(server);
    assert.equal(keys.length, 1);
    assert.equal(await server.command("ttl", keys[0] ?? ""), "-1");
  },
);

test(
  "a server that forgot the script is told it again, and nothing is charged twice",
  needsRedis,
  async () => {
    const { address, command } = await emptyRedis();
    await using store = await redisStore(`redis://${address}`);
    const limited = rule({ limit: 10 });
    for (let left = 9; left > 6; left -= 1) {
      await command("script", "flush");
      assert.deepEqual(await store.take([{ rule: limited, subject: "七米" }]), {
        allowed: true,
        states: [{ remaining: left, resetMs: undefined }],
      });
    }
  },
);

test(
  "a server that is new learns the script when a replica checks in, so that no call goes twice",
  needsRedis,
  async () => {
    const { address, command } = await emptyRedis();
    await using store = await redisStore(`redis://${address}`);
    await command("script", "flush");
    await store.checkIn([]);
    await command("config", "resetstat");
    assert.equal(await store.passes(rule({}), "七米"), true);
    assert.doesNotMatch(await command("info", "commandstats"), /cmdstat_eval:/);
  },
);

test("a clock that goes back costs what was regained, and no more", needsRedis, async () => {
  const { address } = await emptyRedis();
  let nowUs = 10_000_000_000;
  await using store = await redisStore(`redis://${address}`, { nowUs: () => nowUs });
  const twice = rule({ limit: 2, windowMs: 2_000 });
  assert.equal(await store.passes(twice, "七米"), true);
  assert.equal(await store.passes(twice, "七米"), true);
  nowUs -= 3_600_000_000;
  assert.equal(await store.passes(twice, "七米"), false);
  nowUs += 999_999;
  assert.equal(await store.passes(twice, "七米"), false);
  nowUs += 1;
  assert.equal(await store.passes(twice, "七米"), true);
});

test(
  "when rules change, those that stay as they were keep their counts and the others start anew",
  needsRedis,
  async () => {
    const { address } = await emptyRedis();
    await using store = await redisStore(`redis://${address}`);
    const [kept, changed] = [rule({ id: "kept" }), rule({ id: "changed" })];
    store.retain([kept], [changed]);
    for (const each of [kept, changed]) assert.equal(await store.passes(each, "七米"), true);
    const [keptNow, changedNow] = [rule({ id: "kept" }), rule({ id: "changed", limit: 2 })];
    store.retain([keptNow], [changedNow]);
    assert.equal(await store.passes(keptNow, "七米"), false);
    assert.equal(await store.passes(changedNow, "七米"), true);
  },
);

test("what metadata carries is not to be read in the store", needsRedis, async () => {
  const server = await emptyRedis();
  await using store = await redisStore(`redis://${server.address}`);
  const perKey = rule({ subject: "metadata.x-api-key", limit: 1 });
  assert.equal(await store.passes(perKey, "hunter2"), true);
  assert.equal(await store.passes(perKey, "hunter2"), false);
  const keys = await keysOf(server);
  assert.equal(keys.length, 1);
  assert.doesNotMatch(keys.join(), /hunter2/);
});

test("long subjects are told apart by their last character, under short keys", needsRedis, async () => {
  const server = await emptyRedis();
  await using store = await redisStore(`redis://${server.address}`);
  const once = rule({ limit: 1, subject: "request.name" });
  const long = "x".repeat(100_000);
  assert.equal(await store.passes(once, `${long}1`), true);
  assert.equal(await store.passes(once, `${long}2`), true);
  assert.equal(await store.passes(once, `${long}1`), false);
  for (const key of await keysOf(server)) assert.ok(key.length < 300);
});

test("replicas that check in are counted, and no longer once they are silent", needsRedis, async () => {
  const { address, command } = await emptyRedis();
  await using one = await redisStore(`redis://${address}`);
  await using other = await redisStore(`redis://${address}`);
  assert.equal(await one.checkIn([]), 1);
  assert.equal(await other.checkIn([]), 2);
  assert.equal(await one.checkIn([]), 2);
  await command("zadd", "gantry:quota:{greeter}:replicas", "0", "long gone");
  assert.equal(await one.checkIn([]), 2);
});

test("a database of its own is used where the address names one", needsRedis, async () => {
  const server = await emptyRedis();
  await using store = await redisStore(`redis://${server.address}/3`);
  assert.equal(await store.passes(rule({}), "七米"), true);
  assert.equal(await server.command("dbsize"), "0");
  assert.equal(await server.command("-n", "3", "dbsize"), "1");
});
