import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientInterceptor, createClient, retry } from "@gantry/client";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code } from "@gantry/rpc";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { CALLERS, locations, NO_QUOTAS, startCalling } from "./support/calling.ts";
import { type EtcdServer, needsEtcd, startEtcd } from "./support/etcd-server.ts";
import { startWorker, type WorkerProcess } from "./support/worker-process.ts";

const REGISTERED = "registered: clients find this worker";

/** An etcd, and Greeters that register in it; each answers with its name as `location`. */
async function startSystem() {
  await using undo = new AsyncDisposableStack();
  const policy = undo.use(await temporaryFile("no-quotas.yaml", NO_QUOTAS));
  const etcd = undo.use(await startEtcd());
  const owned = undo.move();
  return {
    etcd,
    async greeter(location: string, settings: Record<string, string> = {}): Promise<WorkerProcess> {
      const worker = await startWorker("greeter", {
        ...{ DISCOVERY: etcd.address, DISCOVERY_TTL: "2s", POLICY_FILE: policy.path },
        ...{ WORKER_LOCATION: location, LOG_LEVEL: "info", ...settings },
      });
      owned.use(worker);
      await worker.logged(({ msg }) => msg === REGISTERED);
      return worker;
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** The same with two Greeters, and a client that has called both. */
async function startCalledSystem(...interceptors: ClientInterceptor[]) {
  await using undo = new AsyncDisposableStack();
  const system = undo.use(await startSystem());
  const workers = await Promise.all([system.greeter("one"), system.greeter("two")] as const);
  const calling = undo.use(callingBy(system.etcd, interceptors));
  while (locations(await calling.many(100)).length < 2);
  const owned = undo.move();
  return { ...system, workers, calling, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

function callingBy({ address: discovery }: EtcdServer, interceptors: ClientInterceptor[] = []) {
  return startCalling(createClient(Greeter, "etcd:///greeter", { discovery, interceptors }));
}

test("a Greeter that joins gets calls within two seconds", needsEtcd, async () => {
  await using system = await startCalledSystem();
  const { calling } = system;

  const joined = calling.next(({ location }) => location === "three");
  await system.greeter("three");
  const registeredAtMs = performance.now();
  assert.ok((await joined).endedAtMs - registeredAtMs < 2_000);
  assert.deepEqual(calling.failed(), []);
});

for (const delay of ["0s", "1s"]) {
  test(`a Greeter that drains costs no call, with a DRAIN_DELAY of ${delay}`, needsEtcd, async () => {
    await using system = await startSystem();
    const [one] = await Promise.all([
      system.greeter("one", { DRAIN_DELAY: delay }),
      system.greeter("two"),
      system.greeter("three"),
    ]);
    await using calling = callingBy(system.etcd);
    while (locations(await calling.many(100)).length < 3);

    one.signal("SIGTERM");
    assert.deepEqual(await one.exited, { code: 0, signal: null });
    assert.deepEqual(locations(await calling.many(200)), ["three", "two"]);
    assert.deepEqual(calling.failed(), []);
    assert.equal(Object.keys(await system.etcd.entries()).length, 2);
    // It leaves before it does anything else.
    const said = one.logs.filter(({ msg }) => msg !== "call").slice(-3);
    assert.deepEqual(
      said.map(({ msg }) => msg),
      ["draining", "unregistered: clients call others", "stopped"],
    );
    const [, left, stopped] = said.map(({ time }) => Date.parse(String(time)));
    assert.ok(Number(stopped) - Number(left) >= Number.parseInt(delay, 10) * 1_000);
  });
}

test("of a Greeter that is killed only the calls in flight fail, and its lease ends", needsEtcd, async () => {
  await using system = await startCalledSystem();
  const { workers, calling } = system;
  const [one] = workers;
  assert.equal(Object.keys(await system.etcd.entries()).length, 2);

  const failing = calling.next(({ error }) => error !== undefined);
  one.signal("SIGKILL");
  const first = await Promise.race([failing, one.exited.then(() => calling.many(500)).then(() => undefined)]);
  await calling.many(500);
  const failed = calling.calls.filter(({ error }) => error);
  assert.ok(failed.length <= CALLERS, `${failed.length} calls failed`);
  for (const { error, beganAtMs } of failed) {
    assert.equal(error?.code, Code.Unavailable);
    assert.ok(first && beganAtMs <= first.endedAtMs, "no call that began after the first failure fails");
  }
  const before = calling.failed().length;
  while (Object.keys(await system.etcd.entries()).length > 1) await calling.many(1);
  assert.deepEqual(locations(await calling.many(100)), ["two"]);
  assert.equal(calling.failed().length, before);
});

test("an etcd that is killed and brought back costs no call", needsEtcd, async () => {
  await using system = await startCalledSystem();
  const { etcd, workers, calling } = system;

  await etcd.kill();
  await Promise.all(workers.map((worker) => worker.logged(({ msg }) => msg.startsWith("not registered"))));
  assert.match(await metricsOf(workers[0]), /^gantry_discovery_registered 0$/m);
  assert.deepEqual(locations(await calling.many(100)), ["one", "two"]);
  await etcd.start();
  await Promise.all(workers.map(registeredAgain));
  assert.match(await metricsOf(workers[0]), /^gantry_discovery_registered 1$/m);

  // Who watched before watches again.
  const joined = calling.next(({ location }) => location === "three");
  await system.greeter("three");
  await joined;
  assert.deepEqual(calling.failed(), []);
  for (const { logs } of workers) {
    assert.equal(
      logs.filter((line) => "discovery" in line).length,
      3,
      "an outage is logged once, and its end",
    );
  }
});

test("an etcd that comes back without its data costs no call", needsEtcd, async () => {
  await using system = await startCalledSystem();
  const { etcd, workers, calling } = system;
  await etcd.kill();
  await etcd.loseData();
  await etcd.start();
  await Promise.all(workers.map(registeredAgain));
  assert.equal(Object.keys(await etcd.entries()).length, 2);
  const joined = calling.next(({ location }) => location === "three");
  await system.greeter("three");
  await joined;
  assert.deepEqual(calling.failed(), []);
});

test(
  "a Greeter serves while etcd is away, says so once, and registers when it is there",
  needsEtcd,
  async () => {
    await using system = await startSystem();
    const { etcd } = system;
    await etcd.kill();
    await using worker = await startWorker("greeter", { DISCOVERY: etcd.address });
    await using client = createClient(Greeter, worker.address);
    assert.equal((await client.sayHello({ name: "七米" })).reply, "Hello 七米");
    await worker.logged(({ msg }) => msg.startsWith("not registered"));
    await etcd.start();
    await worker.logged(({ msg }) => msg === REGISTERED);
    assert.deepEqual(Object.keys(await etcd.entries()), [`gantry/greeter/${worker.address}`]);
    const said = worker.logs.filter((line) => "discovery" in line).map(({ level }) => level);
    assert.deepEqual(said, ["warn", "info"]);
  },
);

test("a Greeter that drains while etcd is away ends in time, and says what is left", needsEtcd, async () => {
  await using system = await startSystem();
  const worker = await system.greeter("one", { DRAIN_TIMEOUT: "2s" });
  system.etcd.hang(true);
  const signalledAtMs = performance.now();
  worker.signal("SIGTERM");
  assert.deepEqual(await worker.exited, { code: 0, signal: null });
  assert.ok(performance.now() - signalledAtMs < 2_000);
  assert.match(worker.logs.map(({ msg }) => msg).join("\n"), /could not unregister: .* within 2s/);
});

test("an etcd that hangs costs no call, and its Greeters register again", needsEtcd, async () => {
  await using system = await startCalledSystem();
  const { etcd, workers, calling } = system;
  etcd.hang(true);
  const lost = await Promise.all(
    workers.map((worker) => worker.logged(({ msg }) => msg.startsWith("not registered"))),
  );
  for (const { reason } of lost) assert.match(String(reason), /no answer within 1.334s/);
  etcd.hang(false);
  await Promise.all(workers.map(registeredAgain));
  assert.equal(Object.keys(await etcd.entries()).length, 2);
  assert.deepEqual(calling.failed(), []);
});

test("of a Greeter that is killed no call fails where the client retries", needsEtcd, async () => {
  await using system = await startCalledSystem(retry());
  const { workers, calling } = system;
  workers[0].signal("SIGKILL");
  await workers[0].exited;
  await calling.many(1_000);
  assert.deepEqual(calling.failed(), []);
  assert.deepEqual(locations(await calling.many(100)), ["two"]);
});

async function registeredAgain({ logged }: WorkerProcess): Promise<void> {
  await logged((line) => line.msg === REGISTERED && "away_ms" in line);
}

async function metricsOf(worker: WorkerProcess | undefined): Promise<string> {
  return (await fetch(`${worker?.admin}/metrics`)).text();
}
