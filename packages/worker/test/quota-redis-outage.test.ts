import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { requireProgram } from "../../../test/support/programs.ts";
import { needsRedis, startRedis, startRedisCluster } from "../../../test/support/redis-server.ts";
import { systemClock } from "../src/clock.ts";
import { createQuotaStore } from "../src/quota/create-store.ts";
import { readSettings } from "../src/settings.ts";
import { type RuleParts, ruleOf } from "./support/calls.ts";
import { logLines } from "./support/log-lines.ts";
import { temporaryFile } from "./support/temporary-file.ts";

const desc = Greeter.method.sayHello;
const rule = (parts: RuleParts) => ruleOf(desc, parts);
const lifetime = rule({ id: "lifetime", limit: 1_000 });

/** What a worker has with these settings. */
async function storeOf(env: NodeJS.ProcessEnv) {
  const log = logLines();
  const { store, stats } = await createQuotaStore({
    worker: "greeter",
    settings: readSettings(env),
    clock: systemClock,
    log: log.log,
  });
  assert.ok(stats);
  return {
    store,
    stats,
    log,
    logged: () => JSON.stringify(log.lines),
    passes: async (of = lifetime, subject = "七米") => (await store.take([{ rule: of, subject }])).allowed,
    [Symbol.asyncDispose]: () => store.close(),
  };
}

test(
  "a store that is killed and brought back is away in between, and counts again afterwards",
  needsRedis,
  async () => {
    await using redis = await startRedis();
    await using worker = await storeOf({ QUOTA_STORE: `redis://${redis.address}` });
    assert.equal(worker.stats.up, true);
    assert.equal(await worker.passes(), true);
    assert.equal(await redis.command("dbsize"), "2");

    await redis.kill();
    await worker.log.next("warn");
    for (let call = 0; call < 10; call += 1) assert.equal(await worker.passes(), true);
    assert.equal(worker.stats.up, false);
    assert.deepEqual(worker.stats.fallbacks, { timeout: 0, error: 10 });

    await redis.start();
    await worker.log.next("info");
    assert.equal(worker.stats.up, true);
    assert.equal(await worker.passes(), true);
    assert.equal(await redis.command("dbsize"), "2");
    assert.equal(worker.log.lines.length, 2);
  },
);

test("a store that hangs costs one wait, and is used again when it goes on", needsRedis, async () => {
  await using redis = await startRedis();
  await using worker = await storeOf({ QUOTA_STORE: `redis://${redis.address}` });
  assert.equal(await worker.passes(), true);
  redis.hang(true);
  assert.equal(await worker.passes(), true);
  assert.ok(!(worker.store.take([{ rule: lifetime, subject: "七米" }]) instanceof Promise));
  assert.deepEqual(worker.stats.fallbacks, { timeout: 2, error: 0 });
  redis.hang(false);
  await worker.log.next("info");
  assert.deepEqual(await worker.store.take([{ rule: lifetime, subject: "七米" }]), {
    allowed: true,
    // The late one was charged too, once.
    states: [{ remaining: 997, resetMs: undefined }],
  });
});

test("a store that is not there yet is used as soon as it is", needsRedis, async () => {
  await using redis = await startRedis();
  await redis.kill();
  await using worker = await storeOf({ QUOTA_STORE: `redis://${redis.address}` });
  const away = await worker.log.next("warn");
  assert.match(JSON.stringify(away), /ECONNREFUSED/);
  assert.equal(await worker.passes(), true);
  await redis.start();
  await worker.log.next("info");
  assert.equal(worker.stats.up, true);
});

test("a store with a password is used by who knows it", needsRedis, async () => {
  await using redis = await startRedis({
    settings: { requirepass: "hunter2 @/" },
    cli: ["-a", "hunter2 @/"],
  });
  const QUOTA_STORE = `redis://:${encodeURIComponent("hunter2 @/")}@${redis.address}`;
  await using worker = await storeOf({ QUOTA_STORE });
  assert.equal(worker.stats.up, true);
  assert.equal(await worker.passes(), true);
  assert.equal(await redis.command("dbsize"), "2");
});

test("a user of its own needs no more rights than the document says", needsRedis, async () => {
  await using redis = await startRedis();
  const rights = ["~gantry:quota:*", "+evalsha", "+eval", "+get", "+set", "+exists", "+time"];
  const ofReplicas = ["+zadd", "+zremrangebyscore", "+zcard", "+pexpire"];
  await redis.command("acl", "setuser", "gantry", "on", ">hunter2", ...rights, ...ofReplicas);
  await using worker = await storeOf({ QUOTA_STORE: `redis://gantry:hunter2@${redis.address}` });
  assert.equal(worker.stats.up, true, worker.logged());
  assert.equal(await worker.passes(), true);
  assert.deepEqual(worker.stats.fallbacks, { timeout: 0, error: 0 });
});

test("a wrong password is an outage that names its reason, and no password", needsRedis, async () => {
  await using redis = await startRedis({ settings: { requirepass: "hunter2" }, cli: ["-a", "hunter2"] });
  await using worker = await storeOf({ QUOTA_STORE: `redis://:hunter3@${redis.address}` });
  await worker.log.next("warn");
  assert.equal(await worker.passes(), true);
  assert.match(worker.logged(), /WRONGPASS/);
  assert.match(worker.logged(), /redis:\/\/\*\*\*@127\.0\.0\.1/);
  assert.doesNotMatch(worker.logged(), /hunter/);
});

test("over TLS the store has to show a certificate of a trusted authority", needsTls(), async () => {
  await using pair = await certificate("127.0.0.1");
  const settings = {
    "tls-cert-file": pair.certificate,
    "tls-key-file": pair.key,
    "tls-ca-cert-file": pair.certificate,
    "tls-auth-clients": "no",
  };
  await using redis = await startRedis({ settings, tls: true });
  const QUOTA_STORE = `rediss://${redis.address}`;
  await using trusting = await storeOf({ QUOTA_STORE, QUOTA_STORE_CA: pair.certificate });
  assert.equal(trusting.stats.up, true, trusting.logged());
  assert.equal(await trusting.passes(), true);
  await using distrusting = await storeOf({ QUOTA_STORE });
  assert.equal(distrusting.stats.up, false);
  assert.match(distrusting.logged(), /self-signed certificate/);
});

test(
  "in a cluster subjects spread over the nodes, and charges that go together are taken together",
  needsRedis,
  async () => {
    await using cluster = await startRedisCluster();
    const hosts = cluster.nodes.map(({ address }) => address).join(",");
    await using worker = await storeOf({ QUOTA_STORE: `redis://${hosts}`, QUOTA_STORE_TIMEOUT: "1s" });
    assert.equal(worker.stats.up, true, worker.logged());
    const [minute, day] = ["minute", "day"].map((id) => rule({ id, subject: "request.name", limit: 2 }));
    const [name, peer] = [
      rule({ id: "name", subject: "request.name" }),
      rule({ id: "peer", subject: "peer" }),
    ];
    assert.ok(minute && day);
    worker.store.retain(
      [minute, day, name, peer],
      [
        [minute, day],
        [name, peer],
      ],
    );

    for (let subject = 0; subject < 60; subject += 1) {
      const decision = await worker.store.take([
        { rule: minute, subject: `${subject}` },
        { rule: day, subject: `${subject}` },
      ]);
      assert.equal(decision.allowed, true);
    }
    const sizes = await Promise.all(
      cluster.nodes.map(async ({ command }) => Number(await command("dbsize"))),
    );
    assert.ok(
      sizes.every((size) => size > 10),
      `${sizes}`,
    );

    const both = [
      { rule: name, subject: "七米" },
      { rule: peer, subject: "127.0.0.1" },
    ];
    assert.equal((await worker.store.take(both)).allowed, true);
    const refused = await worker.store.take(both);
    assert.ok(!refused.allowed);
    assert.deepEqual(
      refused.refusals.map(({ charge }) => charge.rule.id),
      ["name", "peer"],
    );
    assert.deepEqual(worker.stats.fallbacks, { timeout: 0, error: 0 });
  },
);

test("a cluster one of whose nodes is gone is away until it is there again", needsRedis, async () => {
  await using cluster = await startRedisCluster();
  const [first] = cluster.nodes;
  assert.ok(first);
  await using worker = await storeOf({
    QUOTA_STORE: `redis://${first.address}?cluster=true`,
    QUOTA_STORE_TIMEOUT: "1s",
  });
  const perName = rule({ id: "per-name", subject: "request.name", limit: 9 });
  worker.store.retain([perName], [[perName]]);
  const [lost] = cluster.nodes.slice(1);
  assert.ok(lost);
  await lost.kill();
  for (let subject = 0; worker.stats.up; subject += 1) {
    assert.equal(await worker.passes(perName, `${subject}`), true);
  }
  await worker.log.next("warn");
  await lost.start();
  await worker.log.next("info");
  const before = worker.stats.fallbacks.error;
  for (let subject = 0; subject < 60; subject += 1) {
    assert.equal(await worker.passes(perName, `again ${subject}`), true);
  }
  assert.equal(worker.stats.fallbacks.error, before);
});

test("a node of a cluster that is taken for a server says what the setting needs", needsRedis, async () => {
  await using cluster = await startRedisCluster();
  const [node] = cluster.nodes;
  await using worker = await storeOf({ QUOTA_STORE: `redis://${node?.address}` });
  const perName = rule({ id: "per-name", subject: "request.name", limit: 9 });
  worker.store.retain([perName], [[perName]]);
  for (let subject = 0; worker.stats.up; subject += 1) await worker.passes(perName, `${subject}`);
  assert.match(worker.logged(), /It is a cluster: QUOTA_STORE needs several of its hosts, or \?cluster=true/);
});

function needsTls() {
  const openssl = requireProgram("openssl", "apt-get install openssl");
  return openssl.skip ? openssl : needsRedis;
}

/** A certificate that vouches for itself. */
async function certificate(address: string) {
  const file = await temporaryFile("certificate.pem", "");
  const key = join(file.directory, "key.pem");
  await promisify(execFile)("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=store", "-addext", `subjectAltName=IP:${address}`],
    ...["-keyout", key, "-out", file.path],
  ]);
  return { certificate: file.path, key, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() };
}
