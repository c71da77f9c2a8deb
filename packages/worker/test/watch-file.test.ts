import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { watchFile as statWatch } from "node:fs";
import { mkdir, rename, rm, stat, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { watchFile } from "../src/watch-file.ts";
import { logLines } from "./support/log-lines.ts";
import { temporaryFile } from "./support/temporary-file.ts";

/** Watches a file that holds "before", and waits for what is told of it. */
function watched(path: string, content = "before") {
  const { log, lines, next } = logLines();
  const told: string[] = [];
  const changes = new EventEmitter();
  const watch = watchFile(
    path,
    (changed) => {
      told.push(changed);
      changes.emit("change");
    },
    { log, content, intervalMs: 10 },
  );
  let waited = 0;
  return {
    told,
    lines,
    next,
    close: watch.close,
    async change(): Promise<string | undefined> {
      if (told.length === waited) await once(changes, "change");
      waited += 1;
      return told[waited - 1];
    },
    [Symbol.dispose]: watch.close,
  };
}

test("tells of a file that is written in place", async () => {
  await using file = await temporaryFile("file", "before");
  using watch = watched(file.path);
  for (const content of ["after", "later"]) {
    await writeFile(file.path, content);
    while ((await watch.change()) !== content);
  }
});

test("a file that is written in place is read once it has been left alone for an interval", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await using file = await temporaryFile("file", "before");
  using watch = watched(file.path);
  const seen = statWatch(file.path, { interval: 10, persistent: false }, () => {});
  // Comes after the look that tells the watch what the file is like before.
  await stat(file.path);
  for (const half of ["be", "bet", "bett", "bette"]) {
    const written = once(seen, "change");
    await writeFile(file.path, half);
    await written;
    t.mock.timers.tick(9);
  }
  const written = once(seen, "change");
  await writeFile(file.path, "better");
  await written;
  t.mock.timers.tick(10);
  assert.equal(await watch.change(), "better");
  assert.deepEqual(watch.told, ["better"]);
});

test("tells of a file that another one is renamed over", async () => {
  await using file = await temporaryFile("file", "before");
  using watch = watched(file.path);
  for (const content of ["after", "later"]) {
    await file.replace(content);
    assert.equal(await watch.change(), content);
  }
});

test("tells of the swapped link by which Kubernetes changes a mounted ConfigMap", async () => {
  await using mount = await temporaryFile("unused", "");
  const version = async (name: string, content: string) => {
    await mkdir(join(mount.directory, name));
    await writeFile(join(mount.directory, name, "policy.yaml"), content);
    await symlink(name, join(mount.directory, "..data_tmp"));
    await rename(join(mount.directory, "..data_tmp"), join(mount.directory, "..data"));
  };
  await version("..2026_01", "before");
  const path = join(mount.directory, "policy.yaml");
  await symlink("..data/policy.yaml", path);
  using watch = watched(path);
  await version("..2026_02", "after");
  await rm(join(mount.directory, "..2026_01"), { recursive: true });
  assert.equal(await watch.change(), "after");
  await version("..2026_03", "later");
  assert.equal(await watch.change(), "later");
});

test("tells of what changed between the caller's reading and the first look", async () => {
  await using file = await temporaryFile("file", "after");
  using watch = watched(file.path, "before");
  assert.equal(await watch.change(), "after");
});

test("tells nothing of a file that is touched, or written as it was", async () => {
  await using file = await temporaryFile("file", "before");
  using watch = watched(file.path);
  for (const time of [1, 2, 3]) {
    await file.replace("before");
    await utimes(file.path, time, time);
    // By the time that another one has looked at the file, the first one has too.
    using other = watched(file.path, "something else");
    await other.change();
  }
  await file.replace("after");
  assert.equal(await watch.change(), "after");
  assert.deepEqual(watch.told, ["after"]);
});

test("a file that vanishes is logged, and told of when it is back with another content", async () => {
  await using file = await temporaryFile("file", "before");
  using watch = watched(file.path);
  await unlink(file.path);
  const gone = await watch.next("warn");
  assert.match(gone.err?.message ?? "", /cannot be read: ENOENT/);
  assert.equal(gone.file, file.path);
  await file.replace("after");
  assert.equal(await watch.change(), "after");
  assert.equal(watch.lines.length, 1);
});

test("a file that grows too large is logged, and not read", async () => {
  await using file = await temporaryFile("file", "before");
  using watch = watched(file.path);
  await file.replace("x".repeat(1024 * 1024 + 1));
  const { err } = await watch.next("warn");
  assert.match(err?.message ?? "", /has 1048577 bytes: expected at most 1048576$/);
  assert.deepEqual(watch.told, []);
});

test("after it is closed nothing is told, not even what was being read", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await using file = await temporaryFile("file", "after");
  const early = watched(file.path);
  const late = watched(file.path);
  using open = watched(file.path);
  early.close();
  t.mock.timers.tick(10);
  late.close();
  assert.equal(await open.change(), "after");
  assert.deepEqual([early.told, late.told], [[], []]);
});

test("a process that only watches ends by itself", async () => {
  await using file = await temporaryFile("file", "before");
  const module = join(import.meta.dirname, "../src/watch-file.ts");
  const script = `
    import { watchFile } from ${JSON.stringify(module)};
    const options = { log: console, content: "before", intervalMs: 3_600_000 };
    watchFile(${JSON.stringify(file.path)}, () => {}, options);
  `;
  const args = ["--input-type=module", "--eval", script];
  const child = spawn(process.execPath, args, { stdio: "ignore", timeout: 20_000 });
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
});
