import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needsRedis, startRedis } from "./support/redis-server.ts";
import { failedStart, startReplica } from "./support/replica.ts";

const PASSWORD = "hunter2";

/** Greeters that hold names to one quota together, and the store that they share. */
async function startReplicas(count: number, quota: string, env: NodeJS.ProcessEnv = {}) {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "gantry-replicas-"));
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  const POLICY_FILE = join(directory, "policy.yaml");
  await writeFile(POLICY_FILE, `methods: { greeter.v1.Greeter/SayHello: { quotas: [${quota}] } }`);
  const redis = undo.use(await startRedis({ settings: { requirepass: PASSWORD }, cli: ["-a", PASSWORD] }));
  const QUOTA_STORE = `redis://:${PASSWORD}@${redis.address}`;
  const replicas = await Promise.all(
    Array.from({ length: count }, () => startReplica({ POLICY_FILE, QUOTA_STORE, ...env })),
  );
  for (const replica of replicas) undo.use(replica);
  const owned = undo.move();
  return {
    redis,
    replicas,
    /** One of the replicas greets, each in its turn. */
    greet: (turn: number, name: string) =>
      replicas[turn % count]?.greet(name) ?? assert.fail("There is no replica."),
    /** A sample of `/metrics`, of each replica. */
    metrics: (sample: string) => Promise.all(replicas.map((replica) => replica.metric(sample))),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function tally(statuses: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

test(
  "three replicas with one store let exactly `limit` of 10,000 calls in parallel pass",
  needsRedis,
  async () => {
    // A machine that has three replicas, their store and their clients to run may be slower than 20 ms.
    const env = { QUOTA_STORE_TIMEOUT: "10s" };
    await using system = await startReplicas(3, "{ id: once, subject: request.name, limit: 1000 }", env);
    const statuses = await Promise.all(
      Array.from({ length: 10_000 }, (_, call) => system.greet(call, "七米")),
    );
    assert.deepEqual(tally(statuses), { OK: 1_000, RESOURCE_EXHAUSTED: 9_000 });

    const allowed = await system.metrics('gantry_quota_decisions_total{quota="once",decision="allowed"}');
    assert.equal(sumOf(allowed), 1_000);
    const asked = await system.metrics("gantry_quota_store_seconds_count");
    assert.ok(
      asked.every((count) => count > 0),
      `${asked}`,
    );
    assert.deepEqual(await system.metrics("gantry_quota_store_up"), [1, 1, 1]);
    assert.deepEqual(await system.metrics('gantry_quota_store_fallbacks_total{reason="timeout"}'), [0, 0, 0]);
  },
);

test(
  "a store that is killed and restarted while calls come fails none of them, and the figures tell of it",
  needsRedis,
  async () => {
    const env = { QUOTA_STORE_TIMEOUT: "10s" };
    await using system = await startReplicas(3, "{ id: many, subject: request.name, limit: 1000000 }", env);
    const { redis, replicas, metrics } = system;
    const statuses: string[] = [];
    let over = false;
    const callers = replicas.map(async (replica, caller) => {
      while (!over) statuses.push(await replica.greet(`caller ${caller}`));
    });

    await redis.kill();
    const away = await Promise.all(replicas.map(({ logged }) => logged(/^the quota store is away/)));
    assert.deepEqual(await metrics("gantry_quota_store_up"), [0, 0, 0]);
    await redis.start();
    const back = await Promise.all(replicas.map(({ logged }) => logged(/^the quota store is back/)));
    assert.deepEqual(await metrics("gantry_quota_store_up"), [1, 1, 1]);
    const answered = await metrics("gantry_quota_store_seconds_count");
    for (const [index, replica] of replicas.entries()) {
      while ((await replica.metric("gantry_quota_store_seconds_count")) === answered[index]) {
        // The callers go on meanwhile.
      }
    }
    over = true;
    await Promise.all(callers);

    assert.deepEqual(tally(statuses), { OK: statuses.length });
    const fallbacks = await metrics('gantry_quota_store_fallbacks_total{reason="error"}');
    assert.deepEqual(
      back.map(({ decided_meanwhile }) => decided_meanwhile),
      fallbacks,
    );
    const decided = sumOf(await metrics("gantry_quota_store_seconds_count")) + sumOf(fallbacks);
    assert.equal(decided, statuses.length);
    assert.deepEqual(
      away.map(({ level, fallback }) => [level, fallback]),
      replicas.map(() => ["warn", "local"]),
    );
    for (const { lines } of replicas)
      assert.equal(lines.filter(({ msg }) => /quota store/.test(msg)).length, 2);
  },
);

test("the store's password is nowhere to be read", needsRedis, async () => {
  await using system = await startReplicas(1, "{ id: once, subject: request.name, limit: 1 }");
  const [replica] = system.replicas;
  assert.ok(replica);
  await replica.greet("七米");
  await system.redis.kill();
  await replica.logged(/^the quota store is away/);
  const pages = await Promise.all(["/", "/explain", "/metrics", "/version"].map(replica.page));
  assert.doesNotMatch(JSON.stringify([replica.lines, pages]), new RegExp(PASSWORD));
});

test("a store's address that is wrong ends the start with 78, and one message without the password", async () => {
  const { exitCode, stderr } = await failedStart({ QUOTA_STORE: `redis://:${PASSWORD}@store:0` });
  assert.equal(exitCode, 78);
  assert.match(stderr, /QUOTA_STORE is "redis:\/\/\*\*\*@store:0": expected memory, or hosts as host:port/);
  assert.doesNotMatch(stderr, new RegExp(PASSWORD));
});
