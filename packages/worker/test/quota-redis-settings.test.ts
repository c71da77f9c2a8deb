import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { maskRedisAddress, parseRedisAddress } from "../src/quota/redis-address.ts";
import { readSettings, SettingsError } from "../src/settings.ts";
import { startWorker } from "../src/worker.ts";
import { greeter } from "./support/greeter.ts";
import { temporaryFile } from "./support/temporary-file.ts";

function parsed(text: string) {
  const { credentials, ...address } = parseRedisAddress(text);
  return { ...address, ...credentials() };
}

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readSettings(env);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.problems;
  }
  return [];
}

test("an address names a server, its database, user and password, and TLS", () => {
  assert.deepEqual(parsed("redis://store"), {
    nodes: [{ host: "store", port: 6379 }],
    cluster: false,
    tls: false,
    database: 0,
    text: "redis://store",
    username: undefined,
    password: undefined,
  });
  assert.deepEqual(parsed("rediss://quota:p%40ss%2Fword%25@[::1]:7000/3"), {
    nodes: [{ host: "::1", port: 7000 }],
    cluster: false,
    tls: true,
    database: 3,
    text: "rediss://***@[::1]:7000/3",
    username: "quota",
    password: "p@ss/word%",
  });
  assert.equal(parsed("redis://:secret@store").password, "secret");
});

test("several hosts are a cluster, and one is where the address says so", () => {
  assert.deepEqual(parsed("redis://a:7000,b,[::1]:7002").nodes, [
    { host: "a", port: 7000 },
    { host: "b", port: 6379 },
    { host: "::1", port: 7002 },
  ]);
  assert.equal(parsed("redis://a,b").cluster, true);
  assert.equal(parsed("rediss://cluster.example?cluster=true").cluster, true);
});

test("the defaults are the worker's own memory, 20 ms, a local decision and an equal share", () => {
  const { quotaStore, quotaStoreTimeoutMs, quotaStoreFallback, quotaShare } = readSettings({});
  assert.deepEqual(
    { quotaStore, quotaStoreTimeoutMs, quotaStoreFallback, quotaShare },
    { quotaStore: "memory", quotaStoreTimeoutMs: 20, quotaStoreFallback: "local", quotaShare: undefined },
  );
});

test("a share is a number or a fraction", () => {
  assert.equal(readSettings({ QUOTA_SHARE: "0.25" }).quotaShare, 0.25);
  assert.equal(readSettings({ QUOTA_SHARE: "1/3" }).quotaShare, 1 / 3);
  for (const wrong of ["0", "2", "1/0", "-1", "a third", "3/2"]) {
    assert.match(problemsOf({ QUOTA_SHARE: wrong }).join(), /^QUOTA_SHARE is ".*": expected a part such as/);
  }
});

const WRONG = {
  "http://user:hunter2@store": "a URL such as",
  "redis://user:hunter2@store:0": "a port from 1 to 65535",
  "redis://user:hunter2@store:99999": "a port from 1 to 65535",
  "redis://user:hunter2@": "hosts as host:port",
  "redis://user:hunter2@store?cluster=maybe": "no parameter other than cluster=true",
  "redis://user:hunter2@store?password=hunter2": "no parameter other than cluster=true",
  "redis://user:hunter2@store/zero": "a URL such as",
  "redis://user:hunter2@a,b/1": "no database other than 0",
  "redis://hunter2@store": "a password beside the user",
  "redis://user:hunter2%@store": "percent-encoded",
  "user:hunter2@store:6379": "a URL such as",
  "redis://user:hunter2/with/slashes@": "hosts as host:port",
};

for (const [wrong, expected] of Object.entries(WRONG)) {
  test(`${wrong} is refused with what was expected, and without the password`, () => {
    const [problem = "", ...others] = problemsOf({ QUOTA_STORE: wrong });
    assert.match(problem, /^QUOTA_STORE is ".*": expected memory, or /);
    assert.ok(problem.includes(expected), problem);
    assert.doesNotMatch(problem, /hunter2/);
    assert.deepEqual(others, []);
  });
}

test("settings show no password, however they are written down", () => {
  const settings = readSettings({ QUOTA_STORE: "redis://user:hunter2@store:6379" });
  assert.doesNotMatch(JSON.stringify(settings), /hunter2/);
  assert.doesNotMatch(inspect(settings, { depth: 9, showHidden: true }), /hunter2/);
  assert.match(JSON.stringify(settings), /redis:\/\/\*\*\*@store:6379/);
});

test("an address is masked up to its last @, and its parameters but for cluster=true", () => {
  assert.equal(maskRedisAddress("redis://:a@b@store?cluster=true"), "redis://***@store?cluster=true");
  assert.equal(maskRedisAddress("redis://store?token=a"), "redis://store?***");
  assert.equal(maskRedisAddress("a:b@store"), "***@store");
});

test("a timeout or a fallback that is none is refused", () => {
  assert.deepEqual(problemsOf({ QUOTA_STORE_TIMEOUT: "0s", QUOTA_STORE_FALLBACK: "maybe" }), [
    'QUOTA_STORE_TIMEOUT is "0s": expected a duration from 1ms to 500h, such as 500ms, 25s or 30m.',
    'QUOTA_STORE_FALLBACK is "maybe": expected local, refuse or allow.',
  ]);
});

test("certificates for a store that is not asked over TLS are refused", () => {
  for (const QUOTA_STORE of ["memory", "redis://store"]) {
    assert.deepEqual(problemsOf({ QUOTA_STORE, QUOTA_STORE_CA: "ca.pem" }), [
      "QUOTA_STORE_CA is set, but QUOTA_STORE is not over TLS: expected rediss://, or it unset.",
    ]);
  }
});

test("a worker does not start with a file of certificates that it cannot use", async () => {
  await using noPem = await temporaryFile(
    "ca.pem",
    "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n",
  );
  await using empty = await temporaryFile("ca.pem", "");
  for (const path of [`${noPem.path}.missing`, noPem.path, empty.path]) {
    const start = startWorker({
      name: "greeter",
      version: "1.2.3",
      services: [greeter],
      env: {
        PORT: "0",
        ADMIN_PORT: "0",
        LOG_LEVEL: "silent",
        QUOTA_STORE: "rediss://127.0.0.1:1",
        QUOTA_STORE_CA: path,
      },
    });
    await assert.rejects(start, (error) => {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, new RegExp(`QUOTA_STORE_CA: ${path} `));
      return true;
    });
  }
});
