import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { Code } from "@gantry/rpc";
import { ServerCredentials } from "@grpc/grpc-js";
import { createAuthority, type KeyPair } from "../../../test/support/certificates.ts";
import { createClient, tls } from "../src/index.ts";
import { Kitchen, rawServer } from "./support/worker.ts";

const REPLY = Buffer.alloc(0);
const PAST = { notBefore: new Date("2020-01-01"), notAfter: new Date("2021-01-01") };

const [ours, theirs] = await Promise.all([createAuthority(), createAuthority()]);
const ca = ours.certificate;

function serverOf({ cert, key }: KeyPair, clientCa?: string) {
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const authorities = clientCa === undefined ? null : Buffer.from(clientCa);
  return rawServer(REPLY, ServerCredentials.createSsl(authorities, [pair], clientCa !== undefined));
}

/** A server of TLS alone, which is never asked for anything else. */
async function handshakeServer(options: TlsOptions) {
  const server = createTlsServer({ ALPNProtocols: ["h2"], ...options }, (socket) =>
    socket.resume().on("error", () => {}),
  );
  server.on("tlsClientError", (_, socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  return { server, target: `127.0.0.1:${port}`, [Symbol.dispose]: () => server.close() };
}

test("a server that the authority vouches for is called, by address and by name", async () => {
  await using server = await serverOf(await ours.issue({ names: ["IP:127.0.0.1", "DNS:kitchen"] }));
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  await using byAddress = createClient(Kitchen, server.target, { credentials: tls({ ca }) });
  await byAddress.cook({});
  await using byName = createClient(Kitchen, server.target, {
    credentials: tls({ ca, serverName: "kitchen" }),
  });
  await byName.cook({});
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
});

test("a server of another name, another authority or an expired certificate is not called, and why is said", async () => {
  await using server = await serverOf(await ours.issue({ names: ["DNS:kitchen"] }));
  await using expired = await serverOf(await ours.issue({ names: ["DNS:kitchen"], ...PAST }));
  const refusals = [
    {
      target: server.target,
      options: { ca },
      message: /is for others: IP: 127\.0\.0\.1 is not in the cert's list/,
    },
    {
      target: server.target,
      options: { ca, serverName: "pantry" },
      message: /is for others: Host: pantry\. is not in the cert's altnames: DNS:kitchen/,
    },
    {
      target: server.target,
      options: { ca: theirs.certificate, serverName: "kitchen" },
      message: /the server's certificate was not signed by an authority that the client trusts/,
    },
    {
      target: expired.target,
      options: { ca, serverName: "kitchen" },
      message: /the server's certificate has expired/,
    },
  ];
  for (const { target, options, message } of refusals) {
    await using kitchen = createClient(Kitchen, target, { credentials: tls(options) });
    await assert.rejects(kitchen.cook({}), { code: Code.Unavailable, message });
    await assert.rejects(kitchen.cook({}), {
      message: new RegExp(`^There is no connection to ${target}: .*[^.]\\.$`),
    });
  }
});

test("a server that asks for a certificate gets the client's own", async () => {
  await using server = await serverOf(await ours.issue({ names: ["IP:127.0.0.1"] }), ca);
  const client = await ours.issue({ names: ["DNS:client"] });
  await using kitchen = createClient(Kitchen, server.target, { credentials: tls({ ca, ...client }) });
  await kitchen.cook({});
});

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`a client certificate that is missing, a stranger's or expired is said to be that, over ${maxVersion}`, async () => {
    const pair = await ours.issue({ names: ["IP:127.0.0.1"] });
    using server = await handshakeServer({ ...pair, ca, requestCert: true, maxVersion });
    const refusals = [
      { own: {}, message: /the server (asks for a client certificate|.* may ask for a client certificate)/ },
      {
        own: await theirs.issue({ names: ["DNS:client"] }),
        message: /may not know the authority that signed this client's certificate/,
      },
      {
        own: await ours.issue({ names: ["DNS:client"], ...PAST }),
        message: /does not accept this client's certificate, which expired on 2021-01-01T00:00:00\.000Z/,
      },
    ];
    for (const { own, message } of refusals) {
      await using kitchen = createClient(Kitchen, server.target, { credentials: tls({ ca, ...own }) });
      await assert.rejects(kitchen.cook({}), { code: Code.Unavailable, message });
    }
  });
}

test("a plaintext server is found out by a client that wants TLS", async () => {
  await using server = await rawServer(REPLY);
  await using kitchen = createClient(Kitchen, server.target, { credentials: tls() });
  await assert.rejects(kitchen.cook({}), { code: Code.Unavailable });
});

test("a server that says nothing once the connection is secured is given up in time", async () => {
  using silent = await handshakeServer(await ours.issue({ names: ["IP:127.0.0.1"] }));
  await using kitchen = createClient(Kitchen, silent.target, {
    credentials: tls({ ca }),
    connectTimeoutMs: 200,
    reconnectMinMs: 20,
  });
  const [socket] = await Promise.all([
    once(silent.server, "secureConnection").then(([secured]) => secured),
    assert.rejects(kitchen.cook({}), { code: Code.Unavailable, message: /did not answer within 200ms/ }),
  ]);
  if (!socket.closed) await once(socket, "close");
});

test("a certificate without its key, or a key without its certificate, is a mistake", () => {
  assert.throws(() => tls({ cert: "…" }), { message: /`cert` alone: expected `key` beside it/ });
  assert.throws(() => tls({ key: "…" }), { message: /`key` alone: expected `cert` beside it/ });
});

test("options that a function gives are asked for anew for each connection", async () => {
  await using server = await serverOf(await ours.issue({ names: ["IP:127.0.0.1"] }));
  let current: () => { ca: string } = () => ({ ca: theirs.certificate });
  const credentials = tls(() => current());
  await using kitchen = createClient(Kitchen, server.target, { credentials, reconnectMaxMs: 200 });
  await assert.rejects(kitchen.cook({}), { message: /not signed by an authority that the client trusts/ });
  current = () => {
    throw new Error("The file is on its way");
  };
  let message = "";
  while (!message.includes("The file is on its way")) {
    message = await kitchen.cook({}).then(String, (error: Error) => error.message);
  }
  current = () => ({ ca });
  await kitchen.ready(10_000);
  await kitchen.cook({});
});
