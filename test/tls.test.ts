/** TLS of workers that run as anybody would run them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:tls";
import { createClient, tls } from "@gantry/client";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code, RpcError } from "@gantry/rpc";
import {
  certificateFiles,
  createAuthority,
  type KeyPair,
  type MountedSecret,
  mountedSecret,
} from "./support/certificates.ts";
import { runToExit, startWorker, type WorkerProcess } from "./support/worker-process.ts";

const PAST = { notBefore: new Date("2020-01-01"), notAfter: new Date("2021-01-01") };
const [authority, other] = await Promise.all([createAuthority(), createAuthority()]);
const ca = authority.certificate;
const newServer = (more: object = {}) => authority.issue({ names: ["IP:127.0.0.1", "DNS:greeter"], ...more });
const server = await newServer();
const client = await authority.issue({ names: ["DNS:client"], usages: ["client"] });

/** What the issue of TLS promises: a changed certificate is served so soon. */
const SERVED_WITHIN_MS = 5_000;
const CLIENTS = 20;
const CALLS_AT_ONCE = 4;

function filesOf({ cert, key }: KeyPair, clientCa = ca) {
  return { "tls.crt": cert, "tls.key": key, "ca.crt": clientCa };
}

function settingsOf(secret: Pick<MountedSecret, "path">) {
  return {
    TLS_CERT: secret.path("tls.crt"),
    TLS_KEY: secret.path("tls.key"),
    TLS_CLIENT_CA: secret.path("ca.crt"),
  };
}

/** The serial number of the certificate that a new connection gets. */
function serialServed({ address }: WorkerProcess): Promise<string | undefined> {
  const port = Number(address.split(":")[1]);
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ca, ...client, ALPNProtocols: ["h2"] }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber);
      // Once the worker has said its settings, it has seen the whole handshake.
      socket.once("data", () => socket.destroy());
    });
    socket.on("error", reject);
  });
}

async function untilServed(
  worker: WorkerProcess,
  isServed: (serial: string | undefined) => boolean,
): Promise<number> {
  const since = performance.now();
  while (!isServed(await serialServed(worker))) {
    if (performance.now() - since > 2 * SERVED_WITHIN_MS) assert.fail("the certificate is not served");
  }
  return performance.now() - since;
}

/** Clients that call all the time, half of which connect anew for each call. */
function startLoad({ address }: WorkerProcess) {
  const credentials = tls({ ca, ...client });
  const failures: unknown[] = [];
  let on = true;
  let calls = 0;
  const call = async (greeter: ReturnType<typeof newClient>) => {
    calls += 1;
    const patient = { timeoutMs: 10_000 };
    await greeter.sayHello({ name: `caller ${calls}` }, patient).catch((error) => failures.push(error));
  };
  const newClient = () => createClient(Greeter, address, { credentials });
  const stay = async () => {
    await using greeter = newClient();
    while (on) await Promise.all(Array.from({ length: CALLS_AT_ONCE }, () => call(greeter)));
  };
  const reconnect = async () => {
    while (on) {
      await using greeter = newClient();
      await call(greeter);
    }
  };
  const loops = Array.from({ length: CLIENTS }, (_, index) => (index % 2 === 0 ? stay() : reconnect()));
  return {
    failures,
    calls: () => calls,
    async stop() {
      on = false;
      await Promise.all(loops);
    },
  };
}

test("certificates change under load: no call fails, streams go on, and the new one is served within 5 s", async () => {
  await using secret = await mountedSecret(filesOf(server));
  await using worker = await startWorker("greeter", settingsOf(secret));
  await using chatter = createClient(Greeter, worker.address, { credentials: tls({ ca, ...client }) });
  const chat = talk(chatter);
  await chat.say("before");
  const load = startLoad(worker);
  const before = await serialServed(worker);

  const [second, third] = [await newServer(), await newServer()];
  const served = [before];
  for (const pair of [second, third]) {
    await secret.swap(filesOf(pair));
    const last = served.at(-1);
    const tookMs = await untilServed(worker, (serial) => serial !== last);
    assert.ok(tookMs < SERVED_WITHIN_MS, `it took ${Math.round(tookMs)} ms`);
    served.push(await serialServed(worker));
    await chat.say("still there?");
  }
  await load.stop();
  await chat.end();

  assert.deepEqual(load.failures, []);
  assert.ok(load.calls() > 500, `${load.calls()} calls`);
  assert.equal(new Set(served).size, 3);
  const changes = worker.logs.filter(({ msg }) => msg === "TLS certificates changed");
  assert.equal(changes.length, 2);
  assert.deepEqual(
    worker.logs.filter(({ level }) => level === "error"),
    [],
  );
});

/** A stream that is open for as long as the test likes. */
function talk(greeter: ReturnType<typeof createClient<typeof Greeter>>) {
  const sent: ((name: string | undefined) => void)[] = [];
  async function* requests() {
    for (;;) {
      const name = await new Promise<string | undefined>((resolve) => sent.push(resolve));
      if (name === undefined) return;
      yield { name };
    }
  }
  const replies = greeter.bidiHello(requests())[Symbol.asyncIterator]();
  const next = (name: string | undefined) => {
    const reply = replies.next();
    const say = () => {
      const resolve = sent.shift();
      if (resolve) resolve(name);
      else setImmediate(say);
    };
    say();
    return reply;
  };
  return {
    async say(name: string) {
      assert.ok(!(await next(name)).done);
    },
    async end() {
      assert.ok((await next(undefined)).done);
    },
  };
}

test("a broken pair is refused and logged once, the old one stays, and the next good one is taken", async () => {
  await using secret = await mountedSecret(filesOf(server));
  await using worker = await startWorker("greeter", settingsOf(secret));
  const load = startLoad(worker);
  const before = await serialServed(worker);
  const good = await newServer();
  await secret.swap(filesOf({ cert: good.cert, key: server.key }));
  const refused = await worker.logged(({ msg }) => msg.startsWith("changed TLS files are refused"));
  assert.match(String(refused.problems), /TLS_KEY .*tls\.key is not the key of the certificate in TLS_CERT/);
  assert.equal(await serialServed(worker), before);
  await secret.swap(filesOf(good));
  await untilServed(worker, (serial) => serial !== before);
  await load.stop();
  assert.deepEqual(load.failures, []);
  const errors = worker.logs.filter(({ level }) => level === "error");
  assert.equal(errors.length, 1);
});

const STRANGERS = [
  {
    who: "no certificate",
    own: {},
    client: /the server asks for a client certificate: expected `cert` and `key`/,
    worker: "the client showed no certificate",
    label: "no_certificate",
  },
  {
    who: "a certificate of another authority",
    own: await other.issue({ names: ["DNS:client"] }),
    client: /may not know the authority that signed this client's certificate/,
    worker: "the client's certificate was not signed by an authority of TLS_CLIENT_CA",
    label: "unknown_authority",
  },
  {
    who: "an expired certificate",
    own: await authority.issue({ names: ["DNS:client"], ...PAST }),
    client: /does not accept this client's certificate, which expired on 2021-01-01/,
    worker: "the client's certificate has expired",
    label: "expired",
  },
];
for (const { who, own, client: says, worker: logs, label } of STRANGERS) {
  test(`a client with ${who} is refused, and both ends say why`, async () => {
    await using files = await certificateFiles(filesOf(server));
    await using worker = await startWorker("greeter", settingsOf(files));
    await assert.rejects(hello(worker, tls({ ca, ...own })), refusal(worker, says));
    assert.equal((await worker.logged(({ reason }) => reason !== undefined)).reason, logs);
    const metrics = await (await fetch(`${worker.admin}/metrics`)).text();
    assert.match(
      metrics,
      new RegExp(`^gantry_tls_handshake_failures_total\\{reason="${label}"\\} [1-9]`, "m"),
    );
    await hello(worker, tls({ ca, ...client }));
  });
}

const IMPOSTORS = [
  {
    who: "of another authority",
    pair: await other.issue({ names: ["IP:127.0.0.1"] }),
    says: /the server's certificate was not signed by an authority that the client trusts/,
  },
  {
    who: "of another name",
    pair: await authority.issue({ names: ["DNS:math"] }),
    says: /the server's certificate is for others: IP: 127\.0\.0\.1 is not in the cert's list/,
  },
  { who: "that has expired", pair: await newServer(PAST), says: /the server's certificate has expired/ },
];
for (const { who, pair, says } of IMPOSTORS) {
  test(`a worker with a certificate ${who} is not called, and both ends say why`, async () => {
    await using files = await certificateFiles(filesOf(pair));
    const { TLS_CERT, TLS_KEY } = settingsOf(files);
    await using worker = await startWorker("greeter", { TLS_CERT, TLS_KEY });
    await assert.rejects(hello(worker, tls({ ca })), refusal(worker, says));
    const { reason } = await worker.logged(({ reason }) => reason !== undefined);
    assert.match(
      String(reason),
      /^the client left .*, as it may where it does not accept the worker's certificate$/,
    );
  });
}

async function hello({ address }: WorkerProcess, credentials: ReturnType<typeof tls>): Promise<void> {
  await using greeter = createClient(Greeter, address, { credentials });
  await greeter.sayHello({ name: "七米" });
}

/** A sentence that names the target and the cause. */
function refusal({ address }: WorkerProcess, says: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof RpcError);
    assert.equal(error.code, Code.Unavailable);
    assert.ok(error.message.startsWith(`There is no connection to ${address}: `), error.message);
    assert.match(error.message, says);
    return true;
  };
}

test("a worker that speaks TLS says so, and counts the days that its certificates have left", async () => {
  await using files = await certificateFiles(filesOf(server));
  await using worker = await startWorker("greeter", settingsOf(files));
  const serving = worker.logs.find(({ msg }) => msg === "serving");
  assert.deepEqual([serving?.tls, serving?.mutual_tls], [true, true]);
  const metrics = await (await fetch(`${worker.admin}/metrics`)).text();
  const daysLeft = (certificate: string) =>
    Number(
      new RegExp(`^gantry_tls_certificate_days_left\\{certificate="${certificate}"\\} (.*)$`, "m").exec(
        metrics,
      )?.[1],
    );
  assert.ok(daysLeft("server") > 89.9 && daysLeft("server") < 90, String(daysLeft("server")));
  assert.ok(daysLeft("client_ca") > 364.9 && daysLeft("client_ca") < 365);
});

test("a worker in plaintext has no metrics of TLS", async () => {
  await using worker = await startWorker("greeter");
  assert.doesNotMatch(await (await fetch(`${worker.admin}/metrics`)).text(), /gantry_tls/);
});

test("files that cannot be used stop the start with exit code 78, by name", async () => {
  await using files = await certificateFiles(filesOf({ cert: server.cert, key: client.key }));
  const { code, stderr } = await runToExit("greeter", settingsOf(files));
  assert.equal(code, 78);
  assert.match(
    stderr,
    /TLS_KEY \S+tls\.key is not the key of the certificate in TLS_CERT \S+tls\.crt: expected a pair\./,
  );
});
