import assert from "node:assert/strict";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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

test("the gateway's bundle serves GraphQL, Socket.IO and GraphiQL away from node_modules", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bundle-"));
  try {
    await bundleWorker("gateway", directory);
    const program = [process.execPath, join(directory, "main.js")] as const;
    await using worker = runProgram(program, { PORT: "0", ADMIN_PORT: "0" });
    const serving: unknown = JSON.parse(await worker.line(/"msg":"serving"/));
    assert.ok(typeof serving === "object" && serving && "address" in serving);
    const url = `http://${serving.address}`;
    assert.equal(await statusOf(`${url}/graphql?query={__typename}`), 200);
    assert.equal(await statusOf(`${url}/socket.io/?EIO=4&transport=polling`), 200);
    const page = await fetch(`${url}/graphql`, { headers: { accept: "text/html" } });
    assert.match(await page.text(), /YogaGraphiQL/);
    worker.process.kill("SIGTERM");
    assert.equal(await worker.exitCode, 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("what the gateway needs is in no other worker's bundle", async () => {
  const directory = mkdtempSync(join(tmpdir(), "gantry-bundle-"));
  try {
    await bundleWorker("greeter", directory);
    const maps = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.map$/.test(name),
    );
    const packages = maps.flatMap((name) => {
      const { sources }: { sources: string[] } = JSON.parse(readFileSync(join(directory, name), "utf8"));
      return sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
    });
    assert.ok(packages.includes("@grpc/grpc-js"));
    const web = /^(express|graphql|graphql-yoga|@graphql-yoga\/.*|@envelop\/.*|socket\.io|engine\.io|ws)$/;
    assert.deepEqual(new Set(packages.filter((name) => web.test(name))), new Set());
  } finally {
    rmSync(directory, { recursive: true });
  }
});
