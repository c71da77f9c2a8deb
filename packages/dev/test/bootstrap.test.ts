import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isInstalled, npmCommand, runsTypeScript, withLock } from "../bootstrap.mjs";

test("commands run on Node.js 24 and newer as it is, and on no older one", () => {
  for (const version of ["v24.0.0", "v24.21.0", "v26.10.0", "v100.0.0"])
    assert.ok(runsTypeScript(version), version);
  for (const version of ["v20.20.2", "v22.18.0", "v23.6.0", "v8.17.0"])
    assert.ok(!runsTypeScript(version), version);
});

test("what is installed is up to date when it is what the lock file asks for", () => {
  using place = directory();
  const left = { version: "1.0.0", integrity: "sha512-left" };
  const packages = {
    "": { name: "all" },
    "packages/ours": { version: "0.1.0" },
    "node_modules/ours": { link: true },
    "node_modules/left": left,
    "node_modules/for-another-system": { version: "2.0.0", optional: true },
  };
  const { "node_modules/for-another-system": _, ...installed } = packages;
  const write = (wanted: object, found: object) => {
    writeFileSync(join(place.path, "package-lock.json"), JSON.stringify({ packages: wanted }));
    writeFileSync(join(place.path, "node_modules/.package-lock.json"), JSON.stringify({ packages: found }));
  };

  writeFileSync(join(place.path, "package-lock.json"), JSON.stringify({ packages }));
  assert.equal(isInstalled(place.path), false, "nothing is installed");
  mkdirSync(join(place.path, "node_modules"));
  assert.equal(isInstalled(place.path), false, "an installation was cut off");

  write(packages, installed);
  assert.equal(isInstalled(place.path), true);
  write({ ...packages, "node_modules/new": { version: "1.0.0" } }, installed);
  assert.equal(isInstalled(place.path), false, "a package was added");
  write({ ...packages, "node_modules/new-of-ours": { link: true } }, installed);
  assert.equal(isInstalled(place.path), false, "a package of ours was added");
  write({ ...packages, "node_modules/left": { ...left, version: "1.0.1" } }, installed);
  assert.equal(isInstalled(place.path), false, "a version has changed");
  write({ ...packages, "node_modules/left": { ...left, integrity: "sha512-other" } }, installed);
  assert.equal(isInstalled(place.path), false, "a package was published anew");
});

test("npm is the one that runs the command, and any other package manager is not taken for it", () => {
  const npm = "/usr/lib/node_modules/npm/bin/npm-cli.js";
  assert.deepEqual(npmCommand(npm), [process.execPath, npm]);
  assert.equal(npmCommand("/usr/lib/node_modules/pnpm/bin/pnpm.cjs").length, 1);
  assert.equal(npmCommand(undefined).length, 1);
});

test("two first commands install one after the other, and the second says whom it waits for", async () => {
  using place = directory();
  const lock = join(place.path, "lock");
  const events: string[] = [];
  const waits = Promise.withResolvers<void>();
  const first = withLock(lock, assert.fail, async () => {
    events.push("first begins");
    await waits.promise;
    events.push("first ends");
  });
  const second = withLock(
    lock,
    (line) => {
      events.push(line);
      waits.resolve();
    },
    async () => {
      events.push("second begins");
    },
  );
  await Promise.all([first, second]);
  assert.deepEqual(events, [
    "first begins",
    `Waiting for process ${process.pid}, which is installing …`,
    "first ends",
    "second begins",
  ]);
  assert.ok(!existsSync(lock));
});

test("the lock of a process that was killed is taken over", async () => {
  using place = directory();
  const lock = join(place.path, "lock");
  writeFileSync(lock, String(spawnSync(process.execPath, ["--version"]).pid));
  let ran = false;
  await withLock(lock, assert.fail, async () => {
    ran = true;
  });
  assert.ok(ran);
});

test("an installation that fails leaves no lock behind", async () => {
  using place = directory();
  const lock = join(place.path, "lock");
  await assert.rejects(
    withLock(lock, assert.fail, async () => {
      throw new Error("npm did not work");
    }),
    /npm did not work/,
  );
  assert.ok(!existsSync(lock));
});

function directory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "gantry-bootstrap-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
