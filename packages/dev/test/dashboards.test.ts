import assert from "node:assert/strict";
import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../bootstrap.mjs";
import { checkDashboards } from "../src/checks/generated.ts";

/** Dashboards and rules as they are committed, for a test to change. */
async function committed() {
  const folder = await mkdtemp(join(tmpdir(), "gantry-dashboards-"));
  for (const name of ["dashboards", "rules"]) {
    await cp(join(root, "observability", name), join(folder, name), { recursive: true });
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test("dashboards and rules are what their sources generate", async () => {
  await using copy = await committed();
  assert.equal((await checkDashboards(copy.folder)).exitCode, 0);
});

test("one that was edited, one that is missing and one that is left over are told by name", async () => {
  await using copy = await committed();
  await writeFile(join(copy.folder, "dashboards/edge.json"), "{}\n");
  await rename(join(copy.folder, "rules/gantry.yaml"), join(copy.folder, "rules/other.yaml"));

  const { exitCode, output } = await checkDashboards(copy.folder);
  assert.equal(exitCode, 3);
  for (const path of ["dashboards/edge.json", "rules/gantry.yaml", "rules/other.yaml"]) {
    assert.ok(output.includes(`observability/${path} is not what observability/src generates.`), output);
  }
});
