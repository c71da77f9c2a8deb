import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { requireProgram } from "../../../test/support/programs.ts";
import { npmCommand } from "../bootstrap.mjs";
import { run, runProgram, statusOf } from "./support/run.ts";

const ANY_PORTS = {
  GREETER_PORT: "0",
  GREETER_ADMIN_PORT: "0",
  MATH_PORT: "0",
  MATH_ADMIN_PORT: "0",
  GATEWAY_PORT: "0",
  GATEWAY_ADMIN_PORT: "0",
};

test("it prints an address per worker, then ready; Ctrl-C, seen twice as npm passes it on, drains all", async () => {
  await using start = run("start", ANY_PORTS);
  await start.line(/^ready$/);
  const addresses = start.lines.flatMap((line) => {
    const match =
      /^(\w+) +(?:gRPC|HTTP) 127\.0\.0\.1:\d+ +metrics (http:\/\/127\.0\.0\.1:\d+)\/metrics$/.exec(line);
    return match ? [{ name: match[1], admin: match[2] ?? "" }] : [];
  });
  assert.deepEqual(
    addresses.map(({ name }) => name),
    ["greeter", "math", "gateway"],
  );
  for (const { admin } of addresses) assert.equal(await statusOf(`${admin}/readyz`), 200);
  const [, rpc = "", name = ""] =
    /^ *curl -G (\S+\/rpc) --data-urlencode name=(\S+)$/m.exec(start.lines.join("\n")) ?? [];
  const greeting = await fetch(`${rpc}?${new URLSearchParams({ name })}`);
  assert.equal(await greeting.text(), "Response from gRPC server: Hello 七米");

  start.process.kill("SIGINT");
  start.process.kill("SIGINT");
  assert.equal(await start.exitCode, 0);
  assert.equal(start.lines.filter((line) => line.includes('"msg":"stopped"')).length, 3);
  for (const { admin } of addresses) assert.equal(await statusOf(`${admin}/readyz`), "ECONNREFUSED");
});

test("a port that is taken is named with the setting that changes it", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  assert.ok(typeof address === "object" && address);
  await using start = run("start", { ...ANY_PORTS, MATH_PORT: String(address.port) });
  assert.equal(await start.exitCode, 1);
  assert.match(
    start.lines.join("\n"),
    new RegExp(`^Port ${address.port} on 127.0.0.1 is taken: .*MATH_PORT`, "m"),
  );
  other.close();
  await once(other, "close");
});

test("a worker that cannot start ends it with its own message and exit code", async () => {
  await using start = run("start", { ...ANY_PORTS, GREETER_DRAIN_TIMEOUT: "soon" });
  assert.equal(await start.exitCode, 78);
  assert.match(start.lines.join("\n"), /DRAIN_TIMEOUT is "soon"/);
  assert.ok(!start.lines.includes("ready"));
});

test("a second Ctrl-C ends a long drain at once, with 1", async () => {
  await using start = run("start", { ...ANY_PORTS, DRAIN_DELAY: "1h" });
  await start.line(/^ready$/);
  start.process.kill("SIGINT");
  await start.line(/^Draining/);
  const impatience = setInterval(() => start.process.kill("SIGINT"), 100);
  assert.equal(await start.exitCode, 1);
  clearInterval(impatience);
});

test(
  "a worker that dies stops the others, and all of it ends with its code",
  requireProgram("ps", "apt-get install procps"),
  async () => {
    await using start = run("start", ANY_PORTS);
    await start.line(/^ready$/);
    process.kill(pidBelow(start.process, "greeter"), "SIGKILL");
    assert.equal(await start.exitCode, 128 + 9);
    assert.ok(start.lines.includes("greeter ended with exit code 137: stopping the others."));
    assert.equal(start.lines.filter((line) => line.includes('"msg":"stopped"')).length, 2);
  },
);

test("workers do not outlive an npm start that was killed", async () => {
  await using start = run("start", ANY_PORTS);
  await start.line(/^ready$/);
  start.process.kill("SIGKILL");
  await once(start.process, "close");
  assert.equal(start.lines.filter((line) => line.includes('"msg":"stopped"')).length, 3);
});

test("a signal to npm itself drains the workers", async () => {
  await using start = runProgram([...npmCommand(process.env.npm_execpath), "start"], ANY_PORTS);
  await start.line(/^ready$/);
  start.process.kill("SIGTERM");
  assert.equal(await start.exitCode, 0);
  assert.equal(start.lines.filter((line) => line.includes('"msg":"stopped"')).length, 3);
});

test("one worker runs under its own settings, drains on Ctrl-C and ends with 0", async () => {
  await using worker = run("worker", { PORT: "0", ADMIN_PORT: "0" }, "math");
  await worker.line(/"msg":"serving"/);
  worker.process.kill("SIGINT");
  worker.process.kill("SIGINT");
  assert.equal(await worker.exitCode, 0);
});

test("a worker or a command that there is not is answered with those that there are", async () => {
  await using worker = run("worker", {}, "grater");
  assert.equal(await worker.exitCode, 1);
  assert.match(
    worker.lines.join("\n"),
    /^There is no worker "grater"\. The workers are: gateway, greeter, math\./m,
  );
  await using command = run("strat", {});
  assert.equal(await command.exitCode, 1);
  assert.match(command.lines.join("\n"), /^There is no command "strat"\. The commands are: .*\bstart\b/m);
});

/** The process of a worker that was started below another process. */
function pidBelow(ancestor: ChildProcess, name: string): number {
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  const processes = table.split("\n").flatMap((row) => {
    const match = /^ *(\d+) +(\d+) (.*)$/.exec(row);
    return match ? [{ pid: Number(match[1]), parent: Number(match[2]), args: match[3] ?? "" }] : [];
  });
  const start = processes.find(({ parent }) => parent === ancestor.pid);
  const found = processes.find(
    ({ parent, args }) => parent === start?.pid && args.includes(`services/${name}/`),
  );
  assert.ok(found, table);
  return found.pid;
}
