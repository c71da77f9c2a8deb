// `npm run load -- smoke [k6 options]`: a scenario of loadtest/ against workers that run.
// `npm run load -- compare a.json b.json`: two runs side by side.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compare } from "../../../loadtest/lib/report/compare.ts";
import type { Result } from "../../../loadtest/lib/report/result.ts";
import { readSettings } from "../../../loadtest/lib/settings.ts";
import { builtProgram, isThere } from "../../../test/support/programs.ts";
import { root } from "../bootstrap.mjs";
import { runHere } from "./checks/tools.ts";
import { writeContracts } from "./load/contracts.ts";
import { missingPlaces } from "./load/workers-there.ts";

const folder = join(root, "loadtest");
const [name = "", ...args] = process.argv.slice(2);

try {
  process.exitCode = name === "compare" ? compareRuns(args) : await runScenario(name, args);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function runScenario(scenario: string, options: readonly string[]): Promise<number> {
  const known = readdirSync(folder).flatMap((file) => /^([a-z]+)\.ts$/.exec(file)?.[1] ?? []);
  if (!known.includes(scenario)) {
    const asked = scenario === "" ? "Which scenario?" : `There is no scenario ${JSON.stringify(scenario)}.`;
    throw new Error(
      `${asked} They are: ${known.join(", ")}. For example: npm run load -- smoke. ` +
        "Two runs are compared by: npm run load -- compare a.json b.json",
    );
  }
  const env = { ...process.env, ...environmentIn(options) };
  const settings = readSettings(env, {}, (path) => readFileSync(path, "utf8"));
  // To find nobody is where `cold` begins.
  const missing = scenario === "cold" ? [] : await missingPlaces(settings);
  if (missing.length > 0) {
    throw new Error(
      `Nobody listens at ${missing.join(" and ")}. Start the workers with "npm start" in another terminal, or say ` +
        "where they are: see loadtest/README.md.",
    );
  }
  const results = join(folder, "results");
  const contracts = writeContracts(results);
  const id = `${scenario}-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}`;
  const report = settings.report || join(results, id);
  const exitCode = await runHere({
    command: findK6(),
    args: ["run", ...(process.stdout.isTTY ? [] : ["--quiet"]), ...options, join(folder, `${scenario}.ts`)],
    env: {
      ...process.env,
      CONTRACTS: contracts,
      TEST_ID: settings.testId || id,
      REPORT: report,
      K6_NO_USAGE_REPORT: "true",
    },
  });
  console.log(`${report}.html and .json have it all.`);
  return exitCode;
}

/** What `-e NAME=value` of k6 sets. */
function environmentIn(options: readonly string[]): Record<string, string> {
  const pairs = options.flatMap((option, index) => {
    const [, attached] = /^(?:-e=?|--env=)(.+)$/s.exec(option) ?? [];
    return attached ?? (option === "-e" || option === "--env" ? (options[index + 1] ?? []) : []);
  });
  return Object.fromEntries(
    pairs.map((pair) => [pair.replace(/=.*/s, ""), pair.includes("=") ? pair.replace(/^[^=]*=/s, "") : ""]),
  );
}

function findK6(): string {
  const found = [process.env.K6, "k6", builtProgram("k6")].find((each) => each && isThere(each));
  if (found) return found;
  throw new Error(
    "k6 is not there. With Go, bash test/support/ci-tools.sh builds it; other ways are at " +
      "https://grafana.com/docs/k6/latest/set-up/install-k6/. K6 names one that is not on the PATH.",
  );
}

function compareRuns(files: readonly string[]): number {
  const [before, after] = files;
  if (!before || !after || files.length > 2) {
    throw new Error("compare takes two runs: npm run load -- compare a.json b.json");
  }
  const [first, second] = [readResult(before), readResult(after)];
  if (first.scenario !== second.scenario) {
    throw new Error(
      `${before} is a run of ${first.scenario}, and ${after} of ${second.scenario}: expected two of the same.`,
    );
  }
  const { text, worse } = compare(first, second);
  console.log(text);
  return worse.length > 0 ? 1 : 0;
}

function readResult(path: string): Result {
  const result: Partial<Result> = JSON.parse(readFileSync(path, "utf8"));
  const { total, methods, scenario } = result;
  if (!total?.latency || !Array.isArray(methods) || !scenario) {
    throw new Error(`${path} is not the report of a run: expected what npm run load writes.`);
  }
  // What has these was written by our handleSummary, as a whole.
  return result as Result;
}
