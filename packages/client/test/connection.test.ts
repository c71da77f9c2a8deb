import assert from "node:assert/strict";
import dns from "node:dns";
import { once } from "node:events";
import { mock, test } from "node:test";
import { Code, RpcError } from "@gantry/rpc";
import { connect, createClient, tls } from "../src/index.ts";
import { Kitchen, kitchenWorker, tcpServer, wireTo } from "./support/worker.ts";

const SOON = { reconnectMinMs: 20, reconnectMaxMs: 50 };

/** Calls until a call is answered; fails with what it fails with after five seconds. */
async function answered(call: () => Promise<unknown>): Promise<void> {
  const giveUpAt = performance.now() + 5_000;
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
  }
}

test("a call to a port where nobody listens fails at once, and says why", async () => {
  const closed = await tcpServer(() => {});
  await closed.stop();
  await using kitchen = createClient(Kitchen, closed.target);
  await assert.rejects(kitchen.ping({}), { code: Code.Unavailable, message: /ECONNREFUSED/ });
});

test("a server that accepts a connection and says nothing fails calls within the connect timeout", async () => {
  await using silent = await tcpServer((socket) => socket.resume());
  for (const credentials of [undefined, tls()]) {
    await using kitchen = createClient(Kitchen, silent.target, {
      connectTimeoutMs: 150,
      ...(credentials && { credentials }),
    });
    const before = performance.now();
    await assert.rejects(kitchen.ping({}), { code: Code.Unavailable, message: /within 150ms/ });
    assert.ok(performance.now() - before < 1_000);
  }
});

test("a connection that a server leaves unanswered is closed, and the address tried again", async () => {
  const silent = await tcpServer((socket) => socket.resume());
  await using kitchen = createClient(Kitchen, silent.target, { connectTimeoutMs: 100, ...SOON });
  await assert.rejects(kitchen.ping({}), { code: Code.Unavailable });
  // Each attempt is given up in its turn, and another one made.
  await once(silent.server, "connection");
  silent.server.close();
  const [last] = silent.sockets;
  if (last) await once(last, "close");
  await silent.stop();
  await using _ = await kitchenWorker({}, { PORT: String(silent.port) });
  await answered(() => kitchen.ping({}));
});

test("a server that answers in time is not held to the connect timeout afterwards", async () => {
  await using worker = await kitchenWorker();
  await using kitchen = createClient(Kitchen, worker.target, { connectTimeoutMs: 100 });
  const turns = 15;
  let heard = 0;
  async function* paced() {
    for (let turn = 0; turn < turns; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield {};
    }
  }
  for await (const _ of kitchen.chat(paced())) heard += 1;
  assert.equal(heard, turns);
});

test("a connection that has gone dead fails its calls when no sign of life comes", async () => {
  await using worker = await kitchenWorker({
    cook: (_, { signal }) => once(signal, "abort").then(() => ({})),
  });
  await using wire = await wireTo(worker.port);
  await using kitchen = createClient(Kitchen, wire.target, { keepaliveMs: 100, keepaliveTimeoutMs: 100 });
  await kitchen.ping({});
  const call = kitchen.cook({});
  wire.cut();
  await assert.rejects(call, { code: Code.Unavailable });
});

test("a client finds a worker that comes back", async () => {
  const first = await kitchenWorker();
  await using kitchen = createClient(Kitchen, first.target, SOON);
  await kitchen.ping({});
  await first.stop();
  await assert.rejects(kitchen.ping({}), { code: Code.Unavailable });
  await using _ = await kitchenWorker({}, { PORT: String(first.port) });
  await answered(() => kitchen.ping({}));
});

test("a worker that drains costs no call: the next one goes elsewhere", async () => {
  const leaving = await kitchenWorker({ cook: () => ({ name: "leaving" }) });
  await using staying = await kitchenWorker({ cook: () => ({ name: "staying" }) });
  await using kitchen = createClient(Kitchen, `ipv4:${leaving.target},${staying.target}`, SOON);
  await kitchen.ready(2_000);
  const names = new Set<string>();
  while (names.size < 2) names.add((await kitchen.cook({})).name);
  const stopped = leaving.stop();
  for (let call = 0; call < 200; call += 1) await kitchen.cook({});
  await stopped;
  assert.equal((await kitchen.cook({})).name, "staying");
});

test("many addresses take calls in turn", async () => {
  await using one = await kitchenWorker({ cook: () => ({ name: "one" }) });
  await using two = await kitchenWorker({ cook: () => ({ name: "two" }) });
  await using kitchen = createClient(Kitchen, `ipv4:${one.target},${two.target}`);
  const counts = new Map<string, number>();
  const cook = async () => {
    const { name } = await kitchen.cook({});
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  // Until both connections are there.
  while (counts.size < 2) await cook();
  counts.clear();
  for (let call = 0; call < 100; call += 1) await cook();
  assert.deepEqual([counts.get("one"), counts.get("two")], [50, 50]);
});

test("an address that is silent does not keep calls from those that answer", async () => {
  await using silent = await tcpServer((socket) => socket.resume());
  await using worker = await kitchenWorker();
  await using kitchen = createClient(Kitchen, `ipv4:${silent.target},${worker.target}`);
  await kitchen.ready(2_000);
  for (let call = 0; call < 20; call += 1) await kitchen.ping({});
});

test("a name is looked up again, so that instances come and go without a restart", async () => {
  await using one = await kitchenWorker({ cook: () => ({ name: "one" }) });
  const second = { HOST: "127.0.0.2", PORT: String(one.port) };
  await using _two = await kitchenWorker({ cook: () => ({ name: "two" }) }, second);
  using names = nameServer("127.0.0.1");
  await using kitchen = createClient(Kitchen, `dns:///kitchens.example:${one.port}`, { reresolveMs: 20 });
  const cook = async () => (await kitchen.cook({})).name;
  const heard = async (lookUps: number) => {
    const until = names.lookUps() + lookUps;
    const cooks = new Set<string>();
    while (names.lookUps() < until) cooks.add(await cook());
    return [...cooks].sort();
  };
  assert.deepEqual(await heard(3), ["one"]);
  names.addresses = ["127.0.0.1", "127.0.0.2"];
  while ((await cook()) !== "two");
  names.addresses = ["127.0.0.2"];
  await heard(3);
  assert.deepEqual(await heard(1), ["two"]);
  // The last known addresses hold while nobody can tell others.
  names.addresses = [];
  assert.deepEqual(await heard(3), ["two"]);
});

test("looking a name up again changes nothing where its addresses are the same", async () => {
  await using one = await kitchenWorker({ cook: () => ({ name: "one" }) });
  const second = { HOST: "127.0.0.2", PORT: String(one.port) };
  await using _two = await kitchenWorker({ cook: () => ({ name: "two" }) }, second);
  using names = nameServer("127.0.0.1", "127.0.0.2");
  await using kitchen = createClient(Kitchen, `dns:///kitchens.example:${one.port}`, { reresolveMs: 1 });
  const cook = async () => (await kitchen.cook({})).name;
  let last = await cook();
  for (let next = await cook(); next === last; next = await cook()) last = next;
  const until = names.lookUps() + 20;
  last = await cook();
  while (names.lookUps() < until) {
    const next = await cook();
    assert.notEqual(next, last, "they still take turns");
    last = next;
  }
});

/** Answers look-ups of any name; fails them while it has no addresses. */
function nameServer(...addresses: string[]) {
  const server = {
    addresses,
    lookUps: () => lookup.mock.callCount(),
    [Symbol.dispose]: () => lookup.mock.restore(),
  };
  const answer = async () => {
    if (server.addresses.length === 0) throw new Error("the name server is away");
    // In any order, as name servers have it.
    server.addresses.reverse();
    return server.addresses.map((address) => ({ address, family: 4 }));
  };
  const lookup = mock.method(dns.promises, "lookup", answer as unknown as typeof dns.promises.lookup);
  return server;
}

test("ready() waits for a server that is still to come", async () => {
  const reserved = await tcpServer(() => {});
  await reserved.stop();
  await using kitchen = createClient(Kitchen, reserved.target, SOON);
  let isReady = false;
  const ready = kitchen.ready().then(() => {
    isReady = true;
  });
  await assert.rejects(kitchen.ready(50), {
    code: Code.DeadlineExceeded,
    message: `There was no connection to ${reserved.target} within 50ms.`,
  });
  assert.ok(!isReady);
  await using _ = await kitchenWorker({}, { PORT: String(reserved.port) });
  await ready;
});

test("close() waits for calls in flight, and lets no more begin", async () => {
  const cooking = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using worker = await kitchenWorker({
    async cook() {
      begun.resolve();
      await cooking.promise;
      return { name: "done" };
    },
  });
  const kitchen = createClient(Kitchen, worker.target);
  const call = kitchen.cook({});
  await begun.promise;
  let closed = false;
  const closing = kitchen.close().then(() => {
    closed = true;
  });
  await assert.rejects(kitchen.ping({}), {
    code: Code.Unavailable,
    message: `The client of ${worker.target} is closed.`,
  });
  await assert.rejects(kitchen.ready(), { code: Code.Unavailable });
  assert.ok(!closed);
  cooking.resolve();
  assert.equal((await call).name, "done");
  await closing;
});

test("close() waits for a stream that is being read", async () => {
  await using worker = await kitchenWorker();
  const channel = connect(worker.target);
  const stream = createClient(Kitchen, channel).serve({ count: 3 })[Symbol.asyncIterator]();
  await stream.next();
  let closed = false;
  const closing = channel.close().then(() => {
    closed = true;
  });
  await stream.next();
  await stream.next();
  assert.ok(!closed);
  assert.ok((await stream.next()).done);
  await closing;
});

test("close() with a limit cancels what is in flight after it", async () => {
  await using worker = await kitchenWorker({
    cook: (_, { signal }) => once(signal, "abort").then(() => ({})),
  });
  const kitchen = createClient(Kitchen, worker.target);
  const outcome = kitchen.cook({}).catch((error) => error);
  await kitchen.close(50);
  const error = await outcome;
  assert.ok(error instanceof RpcError);
  assert.equal(error.code, Code.Unavailable);
});

test("a client that was never used closes too, and a second time", async () => {
  const kitchen = createClient(Kitchen, "dns:///kitchen.example:1");
  await kitchen.close();
  await kitchen.close();
});
