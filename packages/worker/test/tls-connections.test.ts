/** TLS connections that do not come about, as the worker sees it, and that they cost nobody else anything. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { test } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { certificateFiles, createAuthority } from "../../../test/support/certificates.ts";
import { type ListenOptions, listen } from "../src/transport/listener.ts";
import { openCertificates } from "../src/transport/tls/certificates.ts";
import type { FailureReason } from "../src/transport/tls/tls-stats.ts";
import { logLines } from "./support/log-lines.ts";

const PAST = { notBefore: new Date("2020-01-01"), notAfter: new Date("2021-01-01") };
const [authority, other] = await Promise.all([createAuthority(), createAuthority()]);
const ca = authority.certificate;
const server = await authority.issue({ names: ["IP:127.0.0.1"] });
const client = await authority.issue({ names: ["DNS:client"], usages: ["client"] });

/** A port that speaks TLS, and what is said and counted of its connections. */
async function tlsPort({ mutual = false, ...options }: { mutual?: boolean } & Partial<ListenOptions> = {}) {
  const files = await certificateFiles({ "server.crt": server.cert, "server.key": server.key, "ca.crt": ca });
  const { log, lines, next } = logLines();
  const certificates = await openCertificates(
    {
      cert: files.path("server.crt"),
      key: files.path("server.key"),
      clientCa: mutual ? files.path("ca.crt") : undefined,
    },
    log,
    { intervalMs: 10 },
  );
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    maxConnections: 100,
    certificates,
    protocols: ["h2"],
    log,
    onConnection: (socket) => socket.end("welcome"),
    ...options,
  });
  return {
    ...listener,
    ...files,
    certificates,
    lines,
    next,
    counted: () =>
      Object.fromEntries(Object.entries(certificates.stats.failures).filter(([, count]) => count > 0)),
    dial: (more: ConnectionOptions = {}) => dialed(listener.port, more),
    async [Symbol.asyncDispose]() {
      const closed = listener.close();
      listener.destroy();
      await closed;
      certificates.close();
      await files[Symbol.asyncDispose]();
    },
  };
}

/** A client's connection, and what it has read and come to when it is closed. */
function dialed(port: number, options: ConnectionOptions) {
  const socket = connect({ port, host: "127.0.0.1", ca, ALPNProtocols: ["h2"], ...options });
  let text = "";
  let error: NodeJS.ErrnoException | undefined;
  socket.on("data", (bytes) => {
    text += bytes;
  });
  socket.on("error", (happened) => {
    error = happened;
  });
  const outcome = new Promise<{ text: string; error: NodeJS.ErrnoException | undefined; socket: TLSSocket }>(
    (resolve) => {
      socket.on("close", () => resolve({ text, error, socket }));
    },
  );
  return { socket, outcome };
}

async function assertWelcome(port: Awaited<ReturnType<typeof tlsPort>>): Promise<void> {
  const { text, error } = await port.dial(client).outcome;
  assert.equal(error, undefined);
  assert.equal(text, "welcome");
}

interface Refusal {
  readonly client: ConnectionOptions;
  readonly reason: FailureReason;
  readonly text: RegExp;
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  "shows no certificate": {
    client: {},
    reason: "no_certificate",
    text: /^the client showed no certificate$/,
  },
  "shows a certificate of another authority": {
    client: await other.issue({ names: ["DNS:client"] }),
    reason: "unknown_authority",
    text: /^the client's certificate was not signed by an authority of TLS_CLIENT_CA$/,
  },
  "shows a certificate that has expired": {
    client: await authority.issue({ names: ["DNS:client"], ...PAST }),
    reason: "expired",
    text: /^the client's certificate has expired$/,
  },
  "shows a certificate that is for servers only": {
    client: await authority.issue({ names: ["DNS:client"], usages: ["server"] }),
    reason: "bad_certificate",
    text: /^the client's certificate is not one for clients$/,
  },
  "does not know the worker's authority": {
    client: { ...client, ca: other.certificate },
    reason: "left",
    text: /may where it does not accept the worker's certificate$/,
  },
  "asks for another name": {
    client: { ...client, servername: "pantry" },
    reason: "left",
    text: /may where it does not accept the worker's certificate$/,
  },
  "speaks HTTP/1.1 alone": {
    client: { ...client, ALPNProtocols: ["http/1.1"] },
    reason: "protocol",
    text: /offered no protocol that the worker speaks: expected h2$/,
  },
  "names no protocol": {
    client: { ...client, ALPNProtocols: [] },
    reason: "protocol",
    text: /named no protocol by ALPN: expected h2$/,
  },
  "speaks TLS 1.1": {
    client: { ...client, minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
    reason: "protocol",
    text: /speaks no TLS 1\.2 or newer$/,
  },
};

for (const [who, { client: options, reason, text }] of Object.entries(REFUSALS)) {
  test(`a client that ${who} is not let in, and the log says who and why`, async () => {
    await using port = await tlsPort({ mutual: true });
    const { socket, outcome } = port.dial(options);
    await once(socket, "connect");
    const peer = `127.0.0.1:${socket.localPort}`;
    assert.notEqual((await outcome).text, "welcome");
    const line = await port.next("warn");
    assert.equal(line.msg, "a TLS connection did not come about");
    assert.equal(line.peer, peer);
    assert.match(line.reason ?? "", text);
    assert.deepEqual(port.counted(), { [reason]: 1 });
    await assertWelcome(port);
  });
}

test("plaintext on a TLS port is told from TLS", async () => {
  await using port = await tlsPort();
  for (const said of ["GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
    const socket = connectSocket(port.port, "127.0.0.1").resume();
    socket.on("error", () => {});
    socket.write(said);
    await new Promise((resolve) => socket.once("close", resolve));
  }
  assert.match((await port.next("warn")).reason ?? "", /something else than TLS, such as plaintext/);
  assert.deepEqual(port.counted(), { plaintext: 2 });
  await assertWelcome(port);
});

test("a client that says nothing is dropped when the handshake's time is up", async () => {
  await using port = await tlsPort({ handshakeTimeoutMs: 50 });
  const socket = connectSocket(port.port, "127.0.0.1").resume();
  await once(socket, "close");
  assert.match((await port.next("warn")).reason ?? "", /did not finish the handshake in time/);
  assert.deepEqual(port.counted(), { timeout: 1 });
});

test("a probe that connects and leaves is no failure", async () => {
  await using port = await tlsPort();
  const probe = connectSocket(port.port, "127.0.0.1").resume();
  probe.end();
  await once(probe, "close");
  await assertWelcome(port);
  assert.deepEqual(port.counted(), {});
});

test("of many failures for one reason one line is logged, and all are counted", async () => {
  await using port = await tlsPort({ mutual: true });
  for (let attempt = 0; attempt < 20; attempt += 1) await port.dial().outcome;
  assert.deepEqual(port.counted(), { no_certificate: 20 });
  assert.equal(port.lines.length, 1);
});

test("connections in their handshake count as connections", async () => {
  await using port = await tlsPort({ maxConnections: 2 });
  const silent = [connectSocket(port.port, "127.0.0.1"), connectSocket(port.port, "127.0.0.1")];
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  assert.ok((await port.dial().outcome).error);
  for (const socket of silent) socket.destroy();
  // The worker learns of it a moment later.
  while ((await port.dial().outcome).error);
});

test("a port that closes drops handshakes that are not done, and leaves connections alone", async () => {
  const opened = Promise.withResolvers<void>();
  await using port = await tlsPort({ onConnection: () => opened.resolve() });
  const { socket, outcome } = port.dial();
  await opened.promise;
  const silent = connectSocket(port.port, "127.0.0.1").resume();
  await once(silent, "connect");
  // It is accepted when another one that came after it is.
  const third = port.dial();
  await once(third.socket, "secureConnect");
  const closed = port.close();
  await once(silent, "close");
  assert.ok(!socket.closed);
  socket.destroy();
  third.socket.destroy();
  await Promise.all([closed, outcome, third.outcome]);
});

test("a new connection gets the new certificate, and the old one's session is not taken up", async () => {
  await using port = await tlsPort({ mutual: true, onConnection: (socket) => socket.write("welcome") });
  const before = port.dial(client);
  const [session] = await once(before.socket, "session");
  const renewed = await authority.issue({ names: ["IP:127.0.0.1"] });
  const changed = new Promise<void>((resolve) => port.certificates.onChange(() => resolve()));
  await port.write("server.crt", renewed.cert);
  await port.write("server.key", renewed.key);
  await changed;

  const after = port.dial({ ...client, session });
  await once(after.socket, "data");
  assert.ok(!after.socket.isSessionReused());
  const serialOf = (socket: TLSSocket) => socket.getPeerX509Certificate()?.serialNumber;
  assert.equal(serialOf(after.socket), port.certificates.current.certificate.serialNumber);
  assert.notEqual(serialOf(before.socket), serialOf(after.socket));
  assert.ok(!before.socket.closed);
  for (const { socket, outcome } of [before, after]) {
    socket.destroy();
    await outcome;
  }
});

test("when the authority for clients is replaced, a session of one that it let in does not let him in again", async () => {
  await using port = await tlsPort({ mutual: true, onConnection: (socket) => socket.write("welcome") });
  const before = port.dial(client);
  const [session] = await once(before.socket, "session");
  const changed = new Promise<void>((resolve) => port.certificates.onChange(() => resolve()));
  await port.write("ca.crt", other.certificate);
  await changed;
  assert.equal((await port.dial({ ...client, session }).outcome).text, "");
  assert.deepEqual(port.counted(), { unknown_authority: 1 });
  before.socket.destroy();
  await before.outcome;
});
