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
const run = promisify(execFile);

/** CPU time is read from /proc. */
const onLinux = (figure: string) => (process.platform === "linux" ? [figure] : []);

const OF_CALLS = ["callsPerSecond", ...onLinux("cpuMicrosecondsPerCall")];

/** Every figure that the bench reports, by part and server. */
const EXPECTED = {
  throughput: {
    "bare grpc-js": OF_CALLS,
    "gantry, 1 % of traces": OF_CALLS,
    "gantry, no traces": OF_CALLS,
  },
  "cold start": {
    "bare grpc-js": ["millisecondsToFirstReply", ...onLinux("cpuMilliseconds")],
    "gantry, 1 % of traces": ["millisecondsToFirstReply", ...onLinux("cpuMilliseconds")],
    "gantry, no traces": ["millisecondsToFirstReply", ...onLinux("cpuMilliseconds")],
    "gantry, policy file": ["millisecondsToFirstReply", ...onLinux("cpuMilliseconds")],
  },
  cost: {
    "gantry, neither": OF_CALLS,
    "gantry, token": OF_CALLS,
    "gantry, quota": OF_CALLS,
    "gantry, token and quota": OF_CALLS,
  },
  rest: { "Express proxy": OF_CALLS, "gantry, REST": OF_CALLS },
  "shared port": { "gantry, gRPC alone": OF_CALLS, "gantry, gRPC beside HTTP": OF_CALLS },
};

test(
  "the bench reports every figure of every server, as JSON and as a table",
  requireProgram("h2load", "apt-get install nghttp2-client"),
  async () => {
    await using results = await mkdtempDisposable(join(tmpdir(), "gantry-bench-test-"));
    const { stdout } = await run(process.execPath, [
      main,
      ...["--rounds", "2", "--calls", "100", "--results", results.path],
    ]);

    const [file = "", ...others] = await readdir(results.path);
    assert.deepEqual(others, []);
    const { series }: Report = JSON.parse(await readFile(join(results.path, file), "utf8"));
    const found = series.map(({ name, servers }) => [
      name,
      Object.fromEntries(servers.map((server) => [server.name, Object.keys(server.figures)])),
    ]);
    assert.deepEqual(Object.fromEntries(found), EXPECTED);
    for (const server of series.flatMap(({ servers }) => servers)) {
      assert.equal(server.rounds.length, 2, `${server.name}: the round that warms up does not count`);
      const summaries = Object.values(server.figures).flatMap((figure) =>
        [figure, figure.ratio ?? []].flat(),
      );
      for (const { median, lowerQuartile, upperQuartile } of summaries) {
        assert.ok(lowerQuartile <= median && median <= upperQuartile, server.name);
      }
    }
    for (const name of Object.values(EXPECTED).flatMap(Object.keys)) {
      assert.match(stdout, new RegExp(`^\\| ${name} +\\| +[0-9,.]+ \\|`, "m"));
    }
  },
);

test("what the bench was told wrongly is said in one sentence", async () => {
  await assert.rejects(run(process.execPath, [main, "--rounds", "none"]), {
    code: 1,
    stderr: '--rounds is "none": expected a whole number from 1.\n',
  });
  await assert.rejects(run(process.execPath, [main, "latency"]), {
    code: 1,
    stderr: 'The bench has no part "latency": expected throughput, cold-start, cost, rest, or shared-port.\n',
  });
});
