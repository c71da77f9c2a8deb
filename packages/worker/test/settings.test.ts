import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectivityState, status } from "@grpc/grpc-js";
import { readSettings, SettingsError } from "../src/settings.ts";
import { kitchenWorker } from "./support/server.ts";
import { temporaryFile } from "./support/temporary-file.ts";

const MAIN = fileURLToPath(new URL("./mains/failing.ts", import.meta.url));

/** Every setting, wrong, and what the message says of it. */
const WRONG: Readonly<Record<string, readonly [value: string, says: string]>> = {
  HOST: [" ", "an address or a host name"],
  PORT: ["fifty", "a port from 1 to 65535, or 0 for any free one"],
  PROTOCOLS: ["grpc,http3", "grpc, http, or both joined by a comma"],
  CORS_ORIGINS: ["https://shop.example/", "*, or origins such as https://shop.example, joined by commas"],
  ADMIN_PORT: ["65536", "a port from 1 to 65535, or 0 for any free one"],
  LOG_LEVEL: ["loud", "one of trace, debug, info, warn, error, fatal, silent"],
  POLICY_FILE: ["no/such/policy.yaml", "a file that is there"],
  AUTH_FILE: ["no/such/auth.yaml", "a file that is there"],
  QUOTA_SUBJECTS: ["0", "a whole number from 1 to 100000000"],
  QUOTA_STORE: [
    "etcd://localhost",
    "memory, or a URL such as redis://host:6379 or rediss://user:password@host:6379/0",
  ],
  QUOTA_STORE_TIMEOUT: ["0s", "a duration from 1ms to 500h, such as 500ms, 25s or 30m"],
  QUOTA_STORE_FALLBACK: ["hope", "local, refuse or allow"],
  QUOTA_SHARE: ["2", "a part such as 0.25 or 1/4, above 0 and at most 1"],
  DISCOVERY: [
    "redis://localhost",
    "a URL such as etcd://host:2379 or etcds://user:password@host:2379/prefix",
  ],
  DISCOVERY_CA: ["no/such/ca.pem", "a file that is there"],
  DISCOVERY_CERT: ["no/such/cert.pem", "a file that is there"],
  DISCOVERY_KEY: ["no/such/key.pem", "a file that is there"],
  DISCOVERY_TTL: ["1s", "a duration from 2s to 500h, such as 500ms, 25s or 30m"],
  ADVERTISE: ["fd00::1:50051:x", "a host or host:port, an IPv6 address in brackets where a port follows"],
  TLS_ALPN: ["spdy", "http/1.1 or h2"],
  TRUSTED_PROXIES: ["10.0.0.0/33", "addresses and networks such as 10.0.0.0/8, joined by commas"],
  MAX_CALLS_IN_FLIGHT: ["-1", "a whole number from 1 to 10000000"],
  MAX_CONNECTIONS: ["1000001", "a whole number from 1 to 1000000"],
  COMPRESSION: ["brotli", "none or gzip"],
  MAX_CONNECTION_AGE: ["0s", "a duration from 1s to 500h, such as 500ms, 25s or 30m"],
  DRAIN_DELAY: ["5", "a duration to 500h, such as 500ms, 25s or 30m"],
  DRAIN_TIMEOUT: ["501h", "a duration to 500h, such as 500ms, 25s or 30m"],
};
const wrongValues = Object.fromEntries(Object.entries(WRONG).map(([name, [value]]) => [name, value]));

/** Runs a worker that is expected not to start. */
async function failedStart(env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, PORT: "0", ADMIN_PORT: "0", ...env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

describe("wrong settings", () => {
  test("stop the start with exit code 78 and one message that lists every one of them", async () => {
    const { code, stdout, stderr } = await failedStart({
      ...wrongValues,
      TLS_CERT: "no/such/server.crt",
    });
    assert.equal(code, 78);
    assert.equal(stdout, "");
    const [first, ...lines] = stderr.trimEnd().split("\n");
    assert.equal(first, `failing did not start. ${lines.length} settings are wrong:`);
    const expected = Object.entries(WRONG).map(
      ([name, [value, says]]) => `  ${name} is ${JSON.stringify(value)}: expected ${says}.`,
    );
    assert.deepEqual(
      lines.toSorted(),
      [
        ...expected,
        '  TLS_CERT is "no/such/server.crt": expected a file that is there.',
        "  TLS_CERT is set, but TLS_KEY is not: expected both, or neither.",
      ].toSorted(),
    );
  });

  test("stop it the same way where it is one, and say so in the singular", async () => {
    const { code, stderr } = await failedStart({ LOG_LEVEL: "loud" });
    assert.equal(code, 78);
    assert.match(
      stderr,
      /^failing did not start\. A setting is wrong:\n {2}LOG_LEVEL is "loud": expected one of .*\.\n$/,
    );
  });

  test("that only show when the port is opened stop it with 78 as well", async () => {
    const { code, stderr } = await failedStart({ HOST: "192.0.2.1" });
    assert.equal(code, 78);
    assert.match(stderr, /HOST is "192\.0\.2\.1": expected an address of this machine/);
  });

  test("in a policy file stop it with 78, with file and line", async () => {
    await using file = await temporaryFile("policy.yaml", "methods:\n  kitchen.v1.Kitchen/Bake: {}\n");
    const { code, stderr } = await failedStart({ POLICY_FILE: file.path });
    assert.equal(code, 78);
    assert.match(stderr, /policy\.yaml:2/);
  });

  for (const [name, [value, says]] of Object.entries(WRONG)) {
    test(`${name} cannot be ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => readSettings({ [name]: value }),
        (error) => {
          assert.ok(error instanceof SettingsError);
          assert.deepEqual(error.problems, [`${name} is ${JSON.stringify(value)}: expected ${says}.`]);
          return true;
        },
      );
    });
  }

  test("PORT and ADMIN_PORT cannot be one", () => {
    assert.throws(
      () => readSettings({ PORT: "7000", ADMIN_PORT: "7000" }),
      /PORT and ADMIN_PORT are both 7000/,
    );
    assert.doesNotThrow(() => readSettings({ PORT: "0", ADMIN_PORT: "0" }));
  });
});

describe("settings", () => {
  test("have the documented defaults", () => {
    assert.deepEqual(readSettings({}), {
      host: "127.0.0.1",
      port: 50051,
      protocols: ["grpc", "http"],
      corsOrigins: [],
      adminPort: 9464,
      tls: undefined,
      tlsAlpn: "http/1.1",
      logLevel: "info",
      policyFile: undefined,
      authFile: undefined,
      quotaSubjects: 100_000,
      quotaStore: "memory",
      quotaStoreCa: undefined,
      quotaStoreTimeoutMs: 20,
      quotaStoreFallback: "local",
      quotaShare: undefined,
      discovery: undefined,
      discoveryFiles: { ca: undefined, cert: undefined, key: undefined },
      discoveryTtlMs: 10_000,
      advertise: undefined,
      trustedProxies: undefined,
      maxCallsInFlight: 10_000,
      maxConnections: 10_000,
      compression: "none",
      maxConnectionAgeMs: 30 * 60_000,
      drainDelayMs: 0,
      drainTimeoutMs: 25_000,
    });
  });

  test("that are empty count as not set", () => {
    const empty = Object.fromEntries(Object.keys(WRONG).map((name) => [name, ""]));
    assert.deepEqual(readSettings({ ...empty, TLS_CERT: "" }), readSettings({}));
  });

  test("come before a service's own defaults", () => {
    const defaults = { port: 50052, adminPort: 9465 };
    assert.deepEqual(
      [readSettings({}, defaults).port, readSettings({ PORT: "7001" }, defaults).port],
      [50052, 7001],
    );
  });

  test("may ask for the longest time that there is, and mean it", async () => {
    await using worker = await kitchenWorker(
      {},
      { env: { MAX_CONNECTION_AGE: "500h", DRAIN_TIMEOUT: "500h" } },
    );
    for (let at = 0; at < 3; at += 1) assert.equal((await worker.client.call("Cook")).code, status.OK);
    const state = worker.client.channel.getChannel().getConnectivityState(false);
    assert.equal(state, connectivityState.READY, "the connection was not told to move on");
  });
});
