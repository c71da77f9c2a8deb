import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../bootstrap.mjs";
import { checkBreaking } from "../src/checks/breaking.ts";
import { differences } from "../src/checks/generated.ts";

test("a contract that breaks its clients is found, against the main branch and against the commit before", async () => {
  using repository = repositoryWithContracts();
  const contract = join(repository.path, "proto/greeter/v1/greeter.proto");
  const field = "string reply = 1;";
  const text = readFileSync(contract, "utf8");
  assert.ok(text.includes(field));

  assert.deepEqual(await checkBreaking(repository.path), {
    exitCode: 0,
    output: "",
    remark: "there is no earlier commit to compare with",
  });
  repository.git("checkout", "--quiet", "-b", "change");
  writeFileSync(contract, text.replace(field, `${field}\n  string language = 2;`));
  repository.git("commit", "--quiet", "--all", "-m", "add a field");
  assert.deepEqual(await checkBreaking(repository.path), { exitCode: 0, output: "", remark: "against main" });

  writeFileSync(contract, text.replace(field, "bytes reply = 1;"));
  const onBranch = await checkBreaking(repository.path);
  assert.notEqual(onBranch.exitCode, 0);
  assert.match(onBranch.output, /greeter\.proto:.*"reply".*changed type/);

  repository.git("checkout", "--quiet", "-B", "main");
  const onMain = await checkBreaking(repository.path);
  assert.notEqual(onMain.exitCode, 0);
  assert.equal(onMain.remark, "against HEAD~1");
});

test("a base that is no commit is named with its setting", async () => {
  using repository = repositoryWithContracts();
  const { exitCode, output } = await checkBreaking(repository.path, "no-such-branch");
  assert.equal(exitCode, 1);
  assert.equal(output, 'GANTRY_BREAKING_AGAINST is "no-such-branch": expected a commit of this repository.');
});

test("generated code that is not fresh is named file by file", () => {
  using place = directory();
  const write = (path: string, text: string) => {
    mkdirSync(join(place.path, path, ".."), { recursive: true });
    writeFileSync(join(place.path, path), text);
  };
  for (const side of ["one", "other"]) write(`${side}/math/v1/math_pb.js`, "same");
  assert.deepEqual(differences(join(place.path, "one"), join(place.path, "other")), []);
  write("one/greeter_pb.js", "new");
  write("other/greeter_pb.js", "old");
  write("one/added_pb.js", "");
  write("other/removed_pb.js", "");
  assert.deepEqual(differences(join(place.path, "one"), join(place.path, "other")), [
    "added_pb.js",
    "greeter_pb.js",
    "removed_pb.js",
  ]);
});

function directory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "gantry-contracts-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** A repository whose main branch has our contracts. */
function repositoryWithContracts(): Disposable & { path: string; git(...args: string[]): void } {
  const { path, [Symbol.dispose]: dispose } = directory();
  const identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
  const git = (...args: string[]) => void execFileSync("git", [...identity, ...args], { cwd: path });
  cpSync(join(root, "proto"), join(path, "proto"), {
    recursive: true,
    filter: (source) => !source.startsWith(join(root, "proto/gen")),
  });
  for (const file of ["buf.yaml", ".gitignore"]) cpSync(join(root, file), join(path, file));
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("commit", "--quiet", "-m", "contracts");
  return { path, git, [Symbol.dispose]: dispose };
}
