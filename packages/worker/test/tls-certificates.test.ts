import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import {
  type CertificateFiles,
  certificateFiles,
  createAuthority,
  type KeyPair,
} from "../../../test/support/certificates.ts";
import { readSettings, SettingsError } from "../src/settings.ts";
import { type Certificates, openCertificates } from "../src/transport/tls/certificates.ts";
import { logLines } from "./support/log-lines.ts";

const PAST = { notBefore: new Date("2020-01-01"), notAfter: new Date("2021-01-01") };
const authority = await createAuthority();
const issue = (validity: object = {}) => authority.issue({ names: ["DNS:kitchen"], ...validity });
const [first, second] = await Promise.all([issue(), issue()]);

/** Certificates that are looked at every 10 ms, from files of a directory of their own. */
async function opened(pair: KeyPair, clientCa?: string) {
  const { log, lines, next } = logLines();
  const files = await certificateFiles({
    "server.crt": pair.cert,
    "server.key": pair.key,
    ...(clientCa !== undefined && { "ca.crt": clientCa }),
  });
  const certificates = await openCertificates(pathsIn(files, clientCa !== undefined), log, {
    intervalMs: 10,
  }).catch(async (error) => {
    await files[Symbol.asyncDispose]();
    throw error;
  });
  return {
    ...files,
    certificates,
    lines,
    next,
    async [Symbol.asyncDispose]() {
      certificates.close();
      await files[Symbol.asyncDispose]();
    },
  };
}

function pathsIn(files: CertificateFiles, clientCa: boolean) {
  return {
    cert: files.path("server.crt"),
    key: files.path("server.key"),
    clientCa: clientCa ? files.path("ca.crt") : undefined,
  };
}

function changed(certificates: Certificates): Promise<void> {
  return new Promise((resolve) => certificates.onChange(() => resolve()));
}

/** What is said of files that cannot be used, with their directory taken out. */
async function problemsOf(contents: Readonly<Record<string, string>>): Promise<string[]> {
  await using files = await certificateFiles(contents);
  const opening = openCertificates(pathsIn(files, "ca.crt" in contents), logLines().log);
  const error = await opening.then(
    (certificates) => certificates.close(),
    (error) => error,
  );
  assert.ok(error instanceof SettingsError, String(error));
  return error.problems.map((problem) => problem.replaceAll(`${files.directory}/`, ""));
}

test("one of TLS_CERT and TLS_KEY alone, or TLS_CLIENT_CA without the two, is a wrong setting", async () => {
  await using files = await certificateFiles({ file: "" });
  const file = files.path("file");
  const problems = (env: NodeJS.ProcessEnv) => {
    try {
      readSettings(env);
      return [];
    } catch (error) {
      return error instanceof SettingsError ? error.problems : assert.fail();
    }
  };
  assert.deepEqual(problems({ TLS_CERT: file }), [
    "TLS_CERT is set, but TLS_KEY is not: expected both, or neither.",
  ]);
  assert.deepEqual(problems({ TLS_KEY: file }), [
    "TLS_KEY is set, but TLS_CERT is not: expected both, or neither.",
  ]);
  assert.deepEqual(problems({ TLS_CLIENT_CA: file }), [
    "TLS_CLIENT_CA is set, but TLS_CERT and TLS_KEY are not: expected them beside it.",
  ]);
  assert.deepEqual(problems({ TLS_CERT: file, TLS_KEY: file, TLS_CLIENT_CA: file }), []);
});

test("files that cannot be used are named, each with what is wrong with it", async () => {
  assert.deepEqual(
    await problemsOf({ "server.crt": first.key, "server.key": first.cert, "ca.crt": "authority" }),
    [
      "TLS_CERT server.crt has no certificate in PEM: expected -----BEGIN CERTIFICATE-----.",
      "TLS_KEY server.key has no private key in PEM: expected -----BEGIN PRIVATE KEY-----, without a passphrase.",
      "TLS_CLIENT_CA ca.crt has no certificate in PEM: expected -----BEGIN CERTIFICATE-----.",
    ],
  );
  assert.deepEqual(await problemsOf({ "server.crt": first.cert, "server.key": second.key }), [
    "TLS_KEY server.key is not the key of the certificate in TLS_CERT server.crt: expected a pair.",
  ]);
  const cut = first.cert.replace(/\n.{64}\n/, "\n");
  assert.deepEqual(await problemsOf({ "server.crt": `${first.cert}${cut}`, "server.key": first.key }), [
    "TLS_CERT server.crt: its certificate number 2 cannot be read.",
  ]);
  const locked = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "word" },
  });
  assert.deepEqual(await problemsOf({ "server.crt": first.cert, "server.key": locked.privateKey }), [
    "TLS_KEY server.key has a key with a passphrase: expected -----BEGIN PRIVATE KEY-----, without a passphrase.",
  ]);
});

test("files that cannot be read are named", async () => {
  await using files = await certificateFiles({ "server.crt": first.cert });
  await assert.rejects(openCertificates(pathsIn(files, false), logLines().log), {
    name: "SettingsError",
    message: /TLS_KEY: .*server\.key cannot be read: ENOENT/,
  });
});

test("a pair is in force when both of its files have changed, and not before", async () => {
  await using server = await opened(first);
  const change = changed(server.certificates);
  await server.write("server.crt", second.cert);
  const { problems } = await server.next("error");
  assert.match(problems?.[0] ?? "", /server\.key is not the key of the certificate/);
  assert.equal(server.certificates.current.cert, first.cert);
  await server.write("server.key", second.key);
  await change;
  assert.deepEqual(
    [server.certificates.current.cert, server.certificates.current.key],
    [second.cert, second.key],
  );
  assert.equal((await server.next("info")).msg, "TLS certificates changed");
});

test("what is refused is logged once, and what was in force stays", async () => {
  await using server = await opened(first);
  await server.write("server.key", "no key");
  await server.next("error");
  await server.write("server.crt", "no certificate");
  const { problems } = await server.next("error");
  assert.equal(problems?.length, 2);
  assert.equal(server.certificates.current.cert, first.cert);
  assert.equal(server.lines.length, 2);
});

test("an expired certificate does not take the place of one that is good", async () => {
  await using server = await opened(first);
  const expired = await issue(PAST);
  await server.write("server.key", expired.key);
  await server.next("error");
  await server.write("server.crt", expired.cert);
  const { problems } = await server.next("error");
  assert.match(problems?.[0] ?? "", /server\.crt has expired \(2021-01-01T00:00:00\.000Z\)/);
  assert.equal(server.certificates.current.cert, first.cert);
});

test("an expired certificate is served where a worker starts with it, and the log says so", async () => {
  await using server = await opened(await issue(PAST));
  assert.equal((await server.next("error")).msg, "the TLS certificate is not valid now: clients refuse it");
  assert.equal(server.certificates.stats.expiry.server, Date.parse("2021-01-01"));
});

test("a certificate that is not valid yet comes into force when it is, with no further change", async () => {
  await using server = await opened(first);
  // Certificates know seconds: this is from one to two of them away.
  const notBefore = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000);
  const early = await issue({ notBefore });
  const change = changed(server.certificates);
  await server.write("server.crt", early.cert);
  await server.write("server.key", early.key);
  await change;
  assert.ok(Date.now() >= notBefore.getTime());
  assert.equal(server.certificates.current.cert, early.cert);
});

test("a key that was away for a moment and is back as it was lets a changed certificate in", async () => {
  const { key } = first;
  await using server = await opened(first);
  await rm(server.path("server.key"));
  await server.next("warn");
  await server.write("server.crt", `${first.cert}\n`);
  const change = changed(server.certificates);
  await server.write("server.key", key);
  await change;
  assert.equal(server.certificates.current.cert, `${first.cert}\n`);
});

test("authorities for clients change too", async () => {
  const other = await createAuthority();
  await using server = await opened(first, authority.certificate);
  const change = changed(server.certificates);
  await server.write("ca.crt", other.certificate);
  await change;
  assert.equal(server.certificates.current.clientCa, other.certificate);
});

test("no part of a key is ever logged", async () => {
  await using server = await opened(first);
  await server.write("server.key", second.key);
  await server.next("error");
  await server.write("server.crt", second.cert);
  await server.next("info");
  const said = JSON.stringify(server.lines);
  const secrets = [first.key, second.key].flatMap((key) => key.split("\n").slice(1, -2));
  assert.ok(secrets.length > 0);
  for (const secret of secrets) assert.ok(!said.includes(secret));
});

test("nothing comes into force once they are closed", async () => {
  await using server = await opened(first);
  server.certificates.close();
  let changes = 0;
  server.certificates.onChange(() => {
    changes += 1;
  });
  await server.write("server.key", second.key);
  await server.write("server.crt", second.cert);
  // By the time that others have seen the change, these would have.
  await using other = await opened(first);
  const change = changed(other.certificates);
  await other.write("server.key", second.key);
  await other.write("server.crt", second.cert);
  await change;
  assert.equal(changes, 0);
});
