import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { certificateFiles, createAuthority } from "../../../test/support/certificates.ts";
import { startWorker } from "../../../test/support/worker-process.ts";

const [authority, other] = await Promise.all([createAuthority(), createAuthority()]);
const server = await authority.issue({ names: ["IP:127.0.0.1"] });
const own = await authority.issue({ names: ["DNS:gateway"], usages: ["client"] });
const files = await certificateFiles({
  "ca.crt": authority.certificate,
  "other-ca.crt": other.certificate,
  "server.crt": server.cert,
  "server.key": server.key,
  "renewed-ca.crt": other.certificate,
  "gateway.crt": own.cert,
  "gateway.key": own.key,
});
after(() => files[Symbol.asyncDispose]());
const SERVER = { TLS_CERT: files.path("server.crt"), TLS_KEY: files.path("server.key") };
const MUTUAL = { ...SERVER, TLS_CLIENT_CA: files.path("ca.crt") };
const TRUSTING = { UPSTREAM_TLS_CA: files.path("ca.crt") };
const KNOWN = {
  ...TRUSTING,
  UPSTREAM_TLS_CERT: files.path("gateway.crt"),
  UPSTREAM_TLS_KEY: files.path("gateway.key"),
};

/** A Greeter, and a gateway before it. */
async function gatewayBefore(worker: Record<string, string>, gateway: Record<string, string>) {
  await using undo = new AsyncDisposableStack();
  const greeter = undo.use(await startWorker("greeter", worker));
  const process = undo.use(await startWorker("gateway", { GREETER_TARGET: greeter.address, ...gateway }));
  const owned = undo.move();
  return {
    greet: () => fetch(`http://${process.address}/rpc?name=a`),
    process,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

describe("a worker over TLS", { concurrency: 2 }, () => {
  for (const [what, worker, gateway] of [
    ["is called by who trusts its authority", SERVER, TRUSTING],
    ["that asks for a certificate is called by who has one", MUTUAL, KNOWN],
  ] as const) {
    test(what, async () => {
      await using both = await gatewayBefore(worker, gateway);
      const answer = await both.greet();
      assert.equal(await answer.text(), "Response from gRPC server: Hello a");
    });
  }

  for (const [what, worker, gateway, reason] of [
    [
      "of an authority that the gateway does not trust",
      SERVER,
      { UPSTREAM_TLS_CA: files.path("other-ca.crt") },
      /There is no connection to 127\.0\.0\.1:\d+: the server's certificate was not signed by an authority/,
    ],
    [
      "that asks for a certificate of a gateway without one",
      MUTUAL,
      TRUSTING,
      /the server (asks for a client certificate|broke off the TLS connection: it may ask for a client certificate)/,
    ],
    ["that a gateway calls in plaintext", SERVER, {}, /^There is no connection to 127\.0\.0\.1:\d+: /],
  ] as const) {
    test(`${what} is 503, and the log says why`, async () => {
      await using both = await gatewayBefore(worker, gateway);
      const answer = await both.greet();
      assert.equal(answer.status, 503);
      const { message } = (await answer.json()) as { message: string };
      assert.equal(message, "The worker of greeter.v1.Greeter cannot be reached.");
      const line = await both.process.logged(({ msg }) => msg === "the worker was not reached");
      assert.equal(line.level, "warn");
      assert.match(String(line.reason), reason);
    });
  }

  test("is called when its authority stands in a file that was renewed meanwhile", async () => {
    const renewed = { UPSTREAM_TLS_CA: files.path("renewed-ca.crt") };
    await using both = await gatewayBefore(SERVER, renewed);
    assert.equal((await both.greet()).status, 503);
    await files.write("renewed-ca.crt", authority.certificate);
    // Connections are tried again by and by.
    while ((await both.greet()).status !== 200);
  });
});
