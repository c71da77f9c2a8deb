import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { advertisedAddress } from "../src/discovery/advertise.ts";
import { readSettings } from "../src/settings.ts";
import { temporaryFile } from "./support/temporary-file.ts";

const PORT = 50051;
const addressWith = (env: NodeJS.ProcessEnv) => advertisedAddress(readSettings(env), PORT);

test("DISCOVERY names members of etcd, a prefix, and who asks", () => {
  const { discovery } = readSettings({ DISCOVERY: "etcds://me:hunter%402@one,[::1]:2/team/gantry" });
  assert.deepEqual(discovery?.hosts, [
    { host: "one", port: 2379 },
    { host: "::1", port: 2 },
  ]);
  assert.equal(discovery?.prefix, "team/gantry");
  assert.equal(discovery?.tls, true);
  assert.deepEqual(discovery?.credentials(), { username: "me", password: "hunter@2" });
});

test("the prefix is gantry where DISCOVERY says none", () => {
  for (const end of ["", "/"])
    assert.equal(readSettings({ DISCOVERY: `etcd://one${end}` }).discovery?.prefix, "gantry");
});

test("no text of the settings shows the password", () => {
  const settings = readSettings({ DISCOVERY: "etcds://me:hunter2@one" });
  assert.equal(settings.discovery?.text, "etcds://***@one");
  assert.doesNotMatch(JSON.stringify(settings), /hunter2/);
});

for (const [address, expected] of [
  ["etcd://me:hunter2@10.0.0.1", "a password to go over TLS, by etcds://, unless etcd is on this host"],
  ["etcds://:hunter2@one", "a user beside the password"],
  ["etcds://me:hunter2@one?timeout=5s", "no parameter behind a question mark"],
  ["etcds://me:hunter2@one//team", "a prefix of words with one slash between them, such as team/gantry"],
  [
    "etcds://me:hunter2@one:0",
    "hosts as host:port, with a port from 1 to 65535, an IPv6 address in brackets",
  ],
] as const) {
  test(`a DISCOVERY such as ${address} is refused, and its password not shown`, () => {
    assert.throws(
      () => readSettings({ DISCOVERY: address }),
      (error: Error) => {
        assert.ok(error.message.includes(`: expected ${expected}.`), error.message);
        return !error.message.includes("hunter2");
      },
    );
  });
}

test("files for TLS are refused beside an etcd without it, and a certificate without its key", async () => {
  await using file = await temporaryFile("some.pem", "");
  assert.throws(
    () => readSettings({ DISCOVERY: "etcd://one", DISCOVERY_CA: file.path }),
    /DISCOVERY_CA or DISCOVERY_CERT is set, but DISCOVERY is not over TLS: expected etcds:\/\/\./,
  );
  assert.throws(
    () => readSettings({ DISCOVERY: "etcds://one", DISCOVERY_KEY: file.path }),
    /One of DISCOVERY_CERT and DISCOVERY_KEY is set: expected both, or neither\./,
  );
});

test("others reach a worker where it listens, unless ADVERTISE says otherwise", () => {
  assert.deepEqual(addressWith({ HOST: "10.0.0.7" }), { host: "10.0.0.7", port: PORT });
  assert.deepEqual(addressWith({ ADVERTISE: "greeter-7.example" }), {
    host: "greeter-7.example",
    port: PORT,
  });
  assert.deepEqual(addressWith({ ADVERTISE: "10.0.0.1:80" }), { host: "10.0.0.1", port: 80 });
  assert.deepEqual(addressWith({ ADVERTISE: "fd00::1" }), { host: "fd00::1", port: PORT });
  assert.deepEqual(addressWith({ ADVERTISE: "[fd00::1]" }), { host: "fd00::1", port: PORT });
  assert.deepEqual(addressWith({ ADVERTISE: "[fd00::1]:80" }), { host: "fd00::1", port: 80 });
});

test("a worker that listens on every address is reached by one that other machines know", () => {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const others = own.filter(({ internal }) => !internal).map(({ address }) => address);
  for (const HOST of ["0.0.0.0", "::"]) {
    const { host } = addressWith({ HOST });
    assert.ok(others.length > 0 ? others.includes(host) : host === "127.0.0.1", host);
  }
});
