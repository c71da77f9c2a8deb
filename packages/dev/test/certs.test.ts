import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createClient, tls } from "@gantry/client";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { requireProgram } from "../../../test/support/programs.ts";
import { startWorker } from "../../../test/support/worker-process.ts";
import { makeDevelopmentCertificates } from "../src/certificates/development.ts";

const openssl = requireProgram("openssl", "apt-get install openssl");
const run = promisify(execFile);
const DAY_MS = 86_400_000;

async function certificates() {
  const directory = await mkdtemp(join(tmpdir(), "gantry-certs-"));
  const path = (name: string) => join(directory, name);
  return {
    path,
    make: (options = {}) => makeDevelopmentCertificates(directory, options),
    read: (name: string) => readFile(path(name), "utf8"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

const PURPOSES = [
  { name: "server", purpose: "sslserver", holds: true },
  { name: "server", purpose: "sslclient", holds: true },
  { name: "client", purpose: "sslclient", holds: true },
  { name: "client", purpose: "sslserver", holds: false },
];
for (const { name, purpose, holds } of PURPOSES) {
  test(`OpenSSL finds ${name}.crt ${holds ? "good" : "not good"} as ${purpose}`, openssl, async () => {
    await using made = await certificates();
    await made.make();
    const options = ["-x509_strict", "-purpose", purpose, "-CAfile", made.path("ca.crt")];
    const verified = run("openssl", ["verify", ...options, made.path(`${name}.crt`)]);
    if (holds) await verified;
    else await assert.rejects(verified, /unsuitable certificate purpose/);
  });
}

test("a server's certificate is for this machine and for the services, near and far", async () => {
  await using made = await certificates();
  await made.make();
  const certificate = new X509Certificate(await made.read("server.crt"));
  for (const name of [
    "localhost",
    "greeter",
    "math",
    "gateway",
    "greeter.gantry.svc",
    "a.gantry.svc.cluster.local",
  ]) {
    assert.ok(certificate.checkHost(name), name);
  }
  for (const address of ["127.0.0.1", "::1"]) assert.ok(certificate.checkIP(address), address);
  assert.equal(certificate.checkHost("example.com"), undefined);
});

test("keys are for their owner alone", async () => {
  await using made = await certificates();
  await made.make();
  await made.make();
  for (const name of ["ca", "server", "client"]) {
    assert.equal((await stat(made.path(`${name}.key`))).mode & 0o777, 0o600);
  }
});

test("an authority that is good stays, and what it signs is renewed", async () => {
  await using made = await certificates();
  assert.equal((await made.make()).newAuthority, "first");
  const [ca, server] = [await made.read("ca.crt"), await made.read("server.crt")];
  assert.equal((await made.make()).newAuthority, undefined);
  assert.equal(await made.read("ca.crt"), ca);
  assert.notEqual(await made.read("server.crt"), server);
  const renewed = new X509Certificate(await made.read("server.crt"));
  assert.ok(renewed.verify(new X509Certificate(ca).publicKey));
});

test("an authority that is asked to go, would end before what it signs, or cannot be used is replaced", async () => {
  await using made = await certificates();
  await made.make();
  assert.equal((await made.make({ force: true })).newAuthority, "forced");
  assert.equal((await made.make({ now: Date.now() + 300 * DAY_MS })).newAuthority, "ends");
  await writeFile(made.path("ca.key"), "no key");
  assert.equal((await made.make()).newAuthority, "unusable");
});

test("a worker starts with them, and a client calls it over mutual TLS", async () => {
  await using made = await certificates();
  await made.make();
  await using worker = await startWorker("greeter", {
    TLS_CERT: made.path("server.crt"),
    TLS_KEY: made.path("server.key"),
    TLS_CLIENT_CA: made.path("ca.crt"),
  });
  const credentials = tls({
    ca: await made.read("ca.crt"),
    cert: await made.read("client.crt"),
    key: await made.read("client.key"),
  });
  await using greeter = createClient(Greeter, worker.address, { credentials });
  assert.equal((await greeter.sayHello({ name: "七米" })).reply, "Hello 七米");
});
