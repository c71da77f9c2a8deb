import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createLogSink } from "../src/log-sink.ts";

test("every line comes out once and in order, long ones and Unicode too", async () => {
  const directory = await mkdtemp(join(tmpdir(), "gantry-log-"));
  try {
    const path = join(directory, "log");
    await using file = await open(path, "w");
    const sink = createLogSink(file.fd);
    const lines = Array.from({ length: 2_000 }, (_, index) => `${index} ${"七".repeat(index % 97)}\n`);
    lines.push(`${"x".repeat(100_000)}\n`, "last\n");
    for (const line of lines) sink.write(line);
    await sink.flush();
    assert.equal(await readFile(path, "utf8"), lines.join(""));
  } finally {
    await rm(directory, { recursive: true });
  }
});

const GREETER = join(import.meta.dirname, "../../../services/greeter/src/main.ts");

function greeter(t: { after(end: () => void): void }) {
  const worker = spawn(process.execPath, [GREETER], {
    env: { PATH: process.env.PATH, PORT: "0", ADMIN_PORT: "0" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(() => worker.kill("SIGKILL"));
  return { worker, exited: once(worker, "exit") };
}

test("a worker drains and exits 0 when whoever read its log has gone", async (t) => {
  const { worker, exited } = greeter(t);
  await once(worker.stdout, "data");
  worker.stdout.destroy();
  await once(worker.stdout, "close");
  worker.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
});

test("a worker that is stopped has told so before it exits", async (t) => {
  const { worker, exited } = greeter(t);
  let log = "";
  worker.stdout.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  await once(worker.stdout, "data");
  const ended = once(worker.stdout, "end");
  worker.kill("SIGTERM");
  await Promise.all([exited, ended]);
  assert.match(log, /"msg":"stopped"/);
});
