import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempDisposable, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { requireProgram } from "../../test/support/programs.ts";
import type { Report } from "../src/report.ts";

const main = join(import.meta.dirname, "../src/main.ts");
const h2load = requireProgram("h2load", "apt-get install nghttp2-client");
const run = promisify(execFile);

/** Every figure that the bench reports, by part and server. What it needs of the system may be missing. */
const EXPECTED = {
  throughput: {
    servers: ["bare grpc-js", "gantry, 1 % of traces", "gantry, no traces"],
    figures: ["callsPerSecond", ...onLinux("cpuMicrosecondsPerCall")],
  },
  "cold start": {
    servers: ["bare grpc-js", "gantry, 1 % of traces", "gantry, no traces", "gantry, policy file"],
    figures: ["millisecondsToFirstReply", ...onLinux("cpuMilliseconds")],
  },
};

test("the bench reports every figure of every server, as a table and as JSON", h2load, async () => {
  await using results = await mkdtempDisposable(join(tmpdir(), "gantry-bench-test-"));
  const { stdout } = await run(process.execPath, [
    main,
    ...["--rounds", "2", "--calls", "100", "--results", results.path],
  ]);

  const report = await readReport(results.path);
  assert.deepEqual(
    Object.fromEntries(report.series.map(({ name, servers }) => [name, servers.map((server) => server.name)])),
    Object.fromEntries(Object.entries(EXPECTED).map(([name, { servers }]) => [name, servers])),
  );
  for (const { name, servers } of report.series) {
    const { figures } = EXPECTED[name as keyof typeof EXPECTED];
    for (const server of servers) {
      assert.deepEqual(Object.keys(server.figures), figures, `${name} of ${server.name}`);
      assert.equal(server.rounds.length, 2, "the round that warms up does not count");
      for (const { median, lowerQuartile, upperQuartile } of Object.values(server.figures)) {
        assert.ok(lowerQuartile <= median && median <= upperQuartile);
      }
      assert.match(stdout, new RegExp(`^\\| ${server.name} +\\|( +[0-9,.]+ \\| +[0-9,.]+ – [0-9,.]+ \\|`, "m"));
    }
  }
});
