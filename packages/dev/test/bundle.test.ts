import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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

    const code = globSync(join(directory, "**/*.js")).map((path) => readFileSync(path, "utf8"));
    assert.ok(code.some((text) => text.includes('import("@grpc/grpc-js-xds")')));
    assert.ok(!code.some((text) => text.includes("envoy.config.listener")), "what is optional is left out");

    const program = [process.execPath, join(directory, "main.js")] as const;
    await using worker = runProgram(program, { PORT: "0", ADMIN_PORT: "0" });
    const serving: unknown = JSON.parse(await worker.line(/"msg":"serving"/));
    assert.ok(typeof serving === "object" && serving && "admin" in serving);
    // The page of metrics needs a package in CommonJS by its named exports, imported when first asked for.
    assert.equal(await statusOf(`${serving.admin}/metrics`), 200);
    worker.process.kill("SIGTERM");
    assert.equal(await worker.exitCode, 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
