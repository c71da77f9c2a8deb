import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { status } from "@grpc/grpc-js";
import { service as health } from "grpc-health-check";
import { capture, tsc } from "../packages/dev/src/checks/tools.ts";
import { needsCollector, startCollector } from "./support/collector.ts";
import { statusIn } from "./support/error-details.ts";
import { connect, type Methods, serviceOf } from "./support/plain-client.ts";
import { ROOT, type Settings, startWorker } from "./support/worker-process.ts";
import { type Workspace, workspaceWith } from "./support/workspace.ts";

const run = promisify(execFile);
const BUF = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");

const PROTO = "echo/v1/echo.proto";
const MAIN = "services/echo/src/main.ts";

describe("the service that README.md has for an example", () => {
  let workspace: Workspace;
  let example: Readonly<Record<string, string>>;
  let echo: Methods;
  const start = (settings?: Settings) => startWorker(join(workspace.root, MAIN), settings);

  before(async () => {
    example = filesIn(await readFile(join(ROOT, "README.md"), "utf8"));
    workspace = await workspaceWith(example);
    await run(process.execPath, ["packages/dev/generate.mjs"], { cwd: workspace.root });
    echo = serviceOf(PROTO, "echo.v1.Echo", workspace.root);
  });
  after(() => workspace[Symbol.asyncDispose]());

  test("is a contract and fewer than 15 lines", () => {
    assert.deepEqual(Object.keys(example), [`proto/${PROTO}`, MAIN]);
    const lines = example[MAIN]?.trim().split("\n") ?? [];
    assert.ok(lines.length > 0 && lines.length < 15, `${lines.length} lines`);
  });

  test("compiles, and would not if its handler did not keep to the contract", async () => {
    const broken = "services/echo/src/broken.ts";
    await writeFile(
      join(workspace.root, broken),
      String(example[MAIN]).replace("({ text })", "({ words: text })"),
    );
    const config = join(workspace.root, "tsconfig.test.json");
    await writeFile(
      config,
      JSON.stringify({ extends: "./tsconfig.json", files: [MAIN, broken], include: [] }),
    );
    const { output } = await capture({ ...tsc("-p", config), cwd: workspace.root });
    assert.match(output, /^services\/echo\/src\/broken\.ts\(\d+,\d+\): error TS2339: Property 'words'/m);
    const elsewhere = output
      .split("\n")
      .filter((line) => line.includes(": error ") && !line.startsWith(broken));
    assert.deepEqual(elsewhere, []);
  });

  test("has reflection: buf curl calls it", async () => {
    await using worker = await start();
    const buf = [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge"];
    const url = `http://${worker.address}/echo.v1.Echo/Shout`;
    const { stdout } = await run(process.execPath, [...buf, "--data", '{"text":"hello"}', url]);
    assert.deepEqual(JSON.parse(stdout), { text: "HELLO!" });
  });

  test("has the quota of its contract, and metrics", async () => {
    await using worker = await start();
    using client = connect(worker.address, echo);
    for (let count = 0; count < 3; count += 1) {
      const { replies } = await client.call("Shout", { text: "again" });
      assert.deepEqual(replies, [{ text: "AGAIN!" }]);
    }
    const refused = await client.call("Shout", { text: "again" });
    assert.equal(refused.code, status.RESOURCE_EXHAUSTED);
    const [failure] = statusIn(refused.trailers).details;
    assert.equal(failure?.type, "google.rpc.QuotaFailure");
    assert.equal(Object(failure).violations[0].subject, "text:again");
    assert.equal(Object(failure).violations[0].quotaId, "shouts-per-text");

    const metrics = await (await fetch(`${worker.admin}/metrics`)).text();
    const labels = 'grpc_type="unary",grpc_service="echo.v1.Echo",grpc_method="Shout"';
    for (const sample of [
      `grpc_server_handled_total{${labels},grpc_code="OK"} 3`,
      `grpc_server_handled_total{${labels},grpc_code="ResourceExhausted"} 1`,
      'gantry_quota_decisions_total{quota="shouts-per-text",decision="refused"} 1',
    ]) {
      assert.ok(metrics.split("\n").includes(sample), sample);
    }
  });

  test("has traces", needsCollector, async () => {
    await using collector = await startCollector();
    await using worker = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.http });
    using client = connect(worker.address, echo);
    await client.call("Shout", { text: "hello" });
    worker.signal("SIGTERM");
    await worker.exited;
    assert.deepEqual(
      collector.spans.map(({ name, resource }) => [resource["service.name"], name]),
      [["echo", "grpc.echo.v1.Echo/Shout"]],
    );
  });

  test("has health, and drains", async () => {
    await using worker = await start();
    using client = connect(worker.address, health);
    const watch = client.open("Watch");
    watch.send({ service: "echo.v1.Echo" });
    watch.end();
    assert.deepEqual(await watch.next(), { status: "SERVING" });
    worker.signal("SIGTERM");
    assert.deepEqual(await watch.next(), { status: "NOT_SERVING" });
    assert.equal((await watch.answer).details, "The worker is stopping.");
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
  });
});

/** The files that a page shows whole, by path: fenced blocks that have one for a title. */
function filesIn(page: string): Record<string, string> {
  const blocks = page.matchAll(/^```\w+ title=(?<path>\S+)\n(?<content>[\s\S]*?)^```$/gm);
  return Object.fromEntries([...blocks].map(({ groups }) => [groups?.path, groups?.content]));
}
