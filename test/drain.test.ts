import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { service as health } from "grpc-health-check";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { connect, serviceOf } from "./support/plain-client.ts";
import { runToExit, startWorker } from "./support/worker-process.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
const STUBBORN = join(import.meta.dirname, "support/workers/stubborn.ts");
const NO_TIME_LEFT = "The worker is stopping and had no time left to finish the call.";

test("handlers that ignore their signal are left behind when the drain has run out of time", async () => {
  // SayHello's own deadline would come first.
  await using policy = await temporaryFile(
    "policy.yaml",
    "methods: { greeter.v1.Greeter/SayHello: { timeout: { default: 10s } } }",
  );
  await using worker = await startWorker(STUBBORN, { DRAIN_TIMEOUT: "3s", POLICY_FILE: policy.path });
  using client = connect(worker.address, greeter);
  const chat = client.open("BidiHello");
  chat.send({ name: "七米" });
  const replies = client.open("LotsOfReplies");
  replies.send({ name: "七米" });
  replies.end();
  await Promise.all([chat.next(), replies.next()]);
  const silent = client.call("SayHello", { name: "七米" });
  await worker.logged(({ msg }) => msg === "waits for ever");

  const signalledAt = performance.now();
  worker.signal("SIGTERM");
  for (const answer of await Promise.all([chat.answer, replies.answer, silent])) {
    assert.equal(answer.code, status.UNAVAILABLE);
    assert.equal(answer.details, NO_TIME_LEFT);
  }
  assert.deepEqual(await worker.exited, { code: 0, signal: null });
  const tookMs = performance.now() - signalledAt;
  assert.ok(tookMs < 3_000, `the drain took ${Math.round(tookMs)} ms of its 3 s`);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} lets calls in flight finish; a second signal exits at once with 1`, async () => {
    await using worker = await startWorker("greeter");
    using client = connect(worker.address, greeter);
    const [finished, abandoned] = [client.open("BidiHello"), client.open("BidiHello")];
    for (const call of [finished, abandoned]) {
      call.send({ name: "在吗?" });
      await call.next();
    }
    worker.signal(signal);
    await worker.logged(({ msg }) => msg === "draining");
    finished.send({ name: "你好吗？" });
    finished.end();
    assert.deepEqual(await finished.next(), { reply: "我好!" });
    assert.equal((await finished.answer).code, status.OK);

    worker.signal(signal);
    assert.deepEqual(await worker.exited, { code: 1, signal: null });
    assert.ok(!worker.logs.some(({ msg }) => msg === "stopped"));
  });
}

test("a worker with nothing to finish exits 0 on SIGINT, and its log ends with that it has stopped", async () => {
  await using worker = await startWorker("math");
  worker.signal("SIGINT");
  assert.deepEqual(await worker.exited, { code: 0, signal: null });
  assert.deepEqual(
    worker.logs.filter(({ level }) => level === "info").map(({ msg }) => msg),
    ["serving", "draining", "stopped"],
  );
});

test("for DRAIN_DELAY the worker says that it will stop, but takes calls and connections", async () => {
  await using worker = await startWorker("greeter", { DRAIN_DELAY: "2s" });
  using watcher = connect(worker.address, health);
  const watch = watcher.open("Watch");
  watch.send({ service: "greeter.v1.Greeter" });
  watch.end();
  assert.deepEqual(await watch.next(), { status: "SERVING" });
  assert.equal((await fetch(`${worker.admin}/readyz`)).status, 200);

  const signalledAt = performance.now();
  worker.signal("SIGTERM");
  assert.deepEqual(await watch.next(), { status: "NOT_SERVING" });
  assert.equal((await fetch(`${worker.admin}/readyz`)).status, 503);
  assert.equal((await fetch(`${worker.admin}/livez`)).status, 200);
  const check = await watcher.call("Check", { service: "" });
  assert.deepEqual(check.replies, [{ status: "NOT_SERVING" }]);
  using late = connect(worker.address, greeter);
  assert.deepEqual((await late.call("SayHello", { name: "七米" })).replies, [{ reply: "Hello 七米" }]);

  assert.deepEqual(await worker.exited, { code: 0, signal: null });
  assert.ok(performance.now() - signalledAt >= 2_000, "the delay was kept");
  assert.equal((await late.call("SayHello", { name: "七米" })).code, status.UNAVAILABLE);
});

test("a rejection outside of any call is logged, and the worker drains and exits 70", async () => {
  await using worker = await startWorker(STUBBORN);
  using client = connect(worker.address, greeter);
  const call = client.open("LotsOfGreetings");
  call.send({ name: "nobody caught me" });
  const fatal = await worker.logged(({ level }) => level === "fatal");
  assert.equal(fatal.event, "unhandledRejection");
  assert.match(JSON.stringify(fatal.err), /Error: nobody caught me\\n +at /, "with its stack");

  call.end();
  const { code, replies } = await call.answer;
  assert.equal(code, status.OK);
  assert.deepEqual(replies, [{ reply: "all is well" }], "the call that was in flight has finished");
  assert.deepEqual(await worker.exited, { code: 70, signal: null });
  assert.equal(worker.logs.at(-1)?.msg, "stopped");
});

for (const setting of ["PORT", "ADMIN_PORT"]) {
  test(`${setting} that is taken stops the start with 1 and a sentence that names the setting`, async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await runToExit("greeter", { [setting]: String(port) });
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `greeter did not start. Port ${port} on 127.0.0.1 is taken by another program: set ${setting} to a free one.`,
    );
    other.close();
    await once(other, "close");
  });
}

test("settings that are wrong stop the start with 78, all of them listed at once", async () => {
  const { code, stderr } = await runToExit("greeter", {
    PORT: "70000",
    LOG_LEVEL: "loud",
    DRAIN_TIMEOUT: "soon",
    QUOTA_STORE: "etcd://127.0.0.1",
    AUTH_FILE: "auth.yaml",
  });
  assert.equal(code, 78);
  const [headline, ...problems] = stderr.split("\n");
  assert.equal(headline, "greeter did not start. 5 settings are wrong:");
  assert.deepEqual(
    problems.map((problem) => problem.trim().split(" ")[0]),
    ["PORT", "LOG_LEVEL", "AUTH_FILE", "QUOTA_STORE", "DRAIN_TIMEOUT"],
  );
  assert.match(stderr, /^ {2}PORT is "70000": expected a port from 1 to 65535/m);
});

test("a policy file that is wrong stops the start with 78, with file, line and reason", async () => {
  await using policy = await temporaryFile("policy.yaml", "methods:\n  greeter.v1.Greeter/SayHallo: {}\n");
  const { code, stderr } = await runToExit("greeter", { POLICY_FILE: policy.path });
  assert.equal(code, 78);
  assert.match(stderr, /policy\.yaml:2: there is no method "greeter\.v1\.Greeter\/SayHallo"/);
});
