import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bundleWorker } from "../src/bundle/bundle-worker.ts";
import { runProgram, statusOf } from "./support/run.ts";

test("a bundle serves away from node_modules, leaves for later what a start does not need, and drains", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bundle-"));
  try {
    const { bytesAtStart, bytesLater } = await bundleWorker("greeter", directory);
    assert.ok(bytesAtStart > 0 && bytesLater > 0, `${bytesAtStart} bytes at start, ${bytesLater} later`);

    const program = [process.execPath, join(directory, "main.js")] as const;
    await using worker = runProgram(program, { PORT: "0", ADMIN_PORT: "0" });
    const serving: unknown = JSON.parse(await worker.line(/"msg":"serving"/));
    assert.ok(typeof serving === "object" && serving && "admin" in serving && "address" in serving);
    await using health = runProgram([...program, "health", String(serving.address)], {});
    await health.line(/is SERVING/);
    assert.equal(await health.exitCode, 0);
    await using unknown = runProgram([...program, "halth"], {});
    await unknown.line(/no command "halth": expected none, which runs the worker, or health/);
    assert.equal(await unknown.exitCode, 1);
    // The page of metrics needs a package in CommonJS by its named exports, imported when first asked for.
    assert.equal(await statusOf(`${serving.admin}/metrics`), 200);
    worker.process.kill("SIGTERM");
    assert.equal(await worker.exitCode, 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
