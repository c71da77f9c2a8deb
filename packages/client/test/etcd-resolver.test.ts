import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Code } from "@gantry/rpc";
import { certificateFiles, createAuthority } from "../../../test/support/certificates.ts";
import { type EtcdServer, needsEtcd, startEtcd } from "../../../test/support/etcd-server.ts";
import { createClient } from "../src/index.ts";
import { Kitchen, kitchenWorker, tcpServer, wireTo } from "./support/worker.ts";

const PREFIX = "gantry/kitchen";

/** A kitchen that says its name, on a port that a test puts into etcd itself. */
async function cookNamed(name: string) {
  return kitchenWorker({ cook: () => ({ name }) });
}

function put({ put }: EtcdServer, target: string): Promise<void> {
  return put(`${PREFIX}/${target}`, JSON.stringify({ Op: 0, Addr: target, Metadata: null }));
}

function remove({ remove }: EtcdServer, target: string): Promise<void> {
  return remove(`${PREFIX}/${target}`);
}

function clientOf({ address }: EtcdServer) {
  const kitchen = createClient(Kitchen, "etcd:///kitchen", { discovery: address });
  return {
    kitchen,
    /** Who cooks. */
    cook: async () => (await kitchen.cook({})).name,
    /** Calls until this one cooks; every call has to be answered. */
    async untilCookedBy(name: string) {
      while ((await kitchen.cook({})).name !== name);
    },
    /** Calls until nobody but this one cooks. */
    async untilAlone(name: string) {
      for (let inARow = 0; inARow < 20; ) inARow = (await kitchen.cook({})).name === name ? inARow + 1 : 0;
    },
    [Symbol.asyncDispose]: () => kitchen.close(),
  };
}

/** A stream both ways that has begun, and that goes on when it is to end. */
async function startChat({ chat }: Pick<ReturnType<typeof clientOf>["kitchen"], "chat">) {
  const more = Promise.withResolvers<void>();
  async function* dishes() {
    yield { name: "before" };
    await more.promise;
    yield { name: "after" };
  }
  const stream = chat(dishes())[Symbol.asyncIterator]();
  assert.equal((await stream.next()).value?.name, "before");
  return {
    async end() {
      more.resolve();
      assert.equal((await stream.next()).value?.name, "after");
      assert.equal((await stream.next()).done, true);
    },
  };
}

/** Asks again until a call fails with a message like this one. */
async function untilFails(call: () => Promise<unknown>, message: RegExp): Promise<void> {
  for (;;) {
    const failure = await call().then(
      () => undefined,
      (error) => error,
    );
    if (failure && message.test(failure.message)) {
      assert.equal(failure.code, Code.Unavailable);
      return;
    }
  }
}

test("instances come and go without a restart", needsEtcd, async () => {
  await using etcd = await startEtcd();
  await using one = await cookNamed("one");
  await using two = await cookNamed("two");
  await put(etcd, one.target);
  await using client = clientOf(etcd);
  assert.equal(await client.cook(), "one");
  await put(etcd, two.target);
  await client.untilCookedBy("two");
  await client.untilCookedBy("one");
  await remove(etcd, one.target);
  await client.untilAlone("two");
});

test("an instance that stays keeps its connection, and what is in flight on it", needsEtcd, async () => {
  await using etcd = await startEtcd();
  await using staying = await cookNamed("staying");
  await using other = await cookNamed("other");
  await using wire = await wireTo(staying.port);
  let connections = 0;
  wire.server.on("connection", () => {
    connections += 1;
  });
  await put(etcd, wire.target);
  await using client = clientOf(etcd);
  const chat = await startChat(client.kitchen);
  for (let turn = 0; turn < 3; turn += 1) {
    await put(etcd, other.target);
    await client.untilCookedBy("other");
    await remove(etcd, other.target);
    await client.untilAlone("staying");
  }
  await chat.end();
  assert.equal(connections, 1);
});

test("a stream on an instance that is taken out of etcd goes on to its end", needsEtcd, async () => {
  await using etcd = await startEtcd();
  await using leaving = await cookNamed("leaving");
  await using staying = await cookNamed("staying");
  await put(etcd, leaving.target);
  await using client = clientOf(etcd);
  const chat = await startChat(client.kitchen);
  await put(etcd, staying.target);
  await client.untilCookedBy("staying");
  await remove(etcd, leaving.target);
  await client.untilAlone("staying");
  await chat.end();
});

test(
  "where etcd knows no instance, calls fail at once and say so, until there is one",
  needsEtcd,
  async () => {
    await using etcd = await startEtcd();
    await using one = await cookNamed("one");
    await using client = clientOf(etcd);
    const unknown = { code: Code.Unavailable, message: "etcd knows no instance at gantry/kitchen." };
    await assert.rejects(client.cook(), unknown);
    await put(etcd, one.target);
    await client.kitchen.ready(5_000);
    assert.equal(await client.cook(), "one");
    await remove(etcd, one.target);
    await untilFails(client.cook, /^etcd knows no instance at gantry\/kitchen\.$/);
  },
);

test("where etcd is away and no instance was ever known, calls fail and say why", needsEtcd, async () => {
  await using closed = await tcpServer(() => {});
  await closed.stop();
  await using kitchen = createClient(Kitchen, `etcd://${closed.target}/kitchen`);
  await assert.rejects(kitchen.ping({}), {
    code: Code.Unavailable,
    message: new RegExp(`^etcd could not be asked for kitchen: ${closed.target}: .*ECONNREFUSED`),
  });
});

test("an etcd that is not there yet is asked as soon as it is", needsEtcd, async () => {
  await using etcd = await startEtcd();
  await using one = await cookNamed("one");
  await put(etcd, one.target);
  await etcd.kill();
  await using client = clientOf(etcd);
  await assert.rejects(client.cook(), { code: Code.Unavailable });
  await etcd.start();
  await client.kitchen.ready(10_000);
  assert.equal(await client.cook(), "one");
});

test(
  "the instances that were known last hold while etcd is away, and change when it is back",
  needsEtcd,
  async () => {
    await using etcd = await startEtcd();
    await using one = await cookNamed("one");
    await using two = await cookNamed("two");
    await put(etcd, one.target);
    await using client = clientOf(etcd);
    assert.equal(await client.cook(), "one");
    await etcd.kill();
    for (let turn = 0; turn < 200; turn += 1) assert.equal(await client.cook(), "one");
    await etcd.start();
    await put(etcd, two.target);
    await client.untilCookedBy("two");
  },
);

test("of several members of etcd, those that are away or silent are passed over", needsEtcd, async () => {
  await using etcd = await startEtcd();
  await using closed = await tcpServer(() => {});
  await closed.stop();
  await using silent = await tcpServer((socket) => socket.resume());
  await using one = await cookNamed("one");
  await put(etcd, one.target);
  const members = [closed.target, silent.target, `127.0.0.1:${etcd.port}`].join();
  await using kitchen = createClient(Kitchen, `etcd://${members}/kitchen`);
  await kitchen.ready(10_000);
  assert.equal((await kitchen.cook({})).name, "one");
});

test("an etcd that wants a password gets it, and nobody else sees it", needsEtcd, async () => {
  await using etcd = await startEtcd();
  await using one = await cookNamed("one");
  await put(etcd, one.target);
  await requirePassword(etcd, "hunter2 @/");
  const discovery = (password: string) =>
    `etcd://root:${encodeURIComponent(password)}@127.0.0.1:${etcd.port}`;
  await using kitchen = createClient(Kitchen, "etcd:///kitchen", { discovery: discovery("hunter2 @/") });
  assert.equal((await kitchen.cook({})).name, "one");
  await using wrong = createClient(Kitchen, "etcd:///kitchen", { discovery: discovery("hunter3") });
  await assert.rejects(wrong.cook({}), (error: Error) => {
    assert.match(error.message, /authentication failed, invalid user ID or password/);
    return !error.message.includes("hunter");
  });
});

test("an etcd over TLS has to show a certificate of a trusted authority", needsEtcd, async () => {
  const authority = await createAuthority();
  const { cert, key } = await authority.issue({ names: ["IP:127.0.0.1"] });
  await using files = await certificateFiles({ "ca.pem": authority.cert, "cert.pem": cert, "key.pem": key });
  const options = ["--cert-file", files.path("cert.pem"), "--key-file", files.path("key.pem")];
  const mutual = ["--client-cert-auth", "--trusted-ca-file", files.path("ca.pem")];
  await using etcd = await startEtcd({ options: [...options, ...mutual], scheme: "https" });
  const target = `etcds://127.0.0.1:${etcd.port}/kitchen`;

  using env = environment({ DISCOVERY_CA: files.path("ca.pem") });
  {
    await using anybody = createClient(Kitchen, target);
    await assert.rejects(anybody.cook({}), { message: /^etcd could not be asked for kitchen/ });
  }
  env.set({ DISCOVERY_CERT: files.path("cert.pem"), DISCOVERY_KEY: files.path("key.pem") });
  await using kitchen = createClient(Kitchen, target);
  await assert.rejects(kitchen.cook({}), { message: "etcd knows no instance at gantry/kitchen." });
  env.set({ DISCOVERY_CA: "" });
  await using distrusting = createClient(Kitchen, target);
  await assert.rejects(distrusting.cook({}), {
    message: /^etcd could not be asked for kitchen: .*certificate/,
  });
});

/** Variables of this process's environment, as they were before when it is over. */
function environment(variables: Record<string, string>) {
  const before = process.env;
  const replaced = mock.property(process, "env", { ...before, ...variables });
  return {
    set(more: Record<string, string>) {
      Object.assign(process.env, more);
    },
    [Symbol.dispose]: () => replaced.mock.restore(),
  };
}

/** By etcd's own gateway to HTTP. */
async function requirePassword({ port }: EtcdServer, password: string): Promise<void> {
  for (const [path, body] of [
    ["user/add", { name: "root", password }],
    ["role/add", { name: "root" }],
    ["user/grant", { user: "root", role: "root" }],
    ["enable", {}],
  ] as const) {
    const url = `http://127.0.0.1:${port}/v3/auth/${path}`;
    const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
    assert.ok(response.ok, `${path}: ${await response.text()}`);
  }
}
