import { checkBreaking, type Remark } from "./breaking.ts";
import { checkDashboards, checkGenerated } from "./generated.ts";
import { findViolations, readPackages, readSources } from "./imports.ts";
import { checkManifests } from "./manifests/check-manifests.ts";
import { biome, buf, capture, tsc } from "./tools.ts";

interface Check {
  /** What it looks at. */
  readonly name: string;
  run(): Promise<Remark>;
}

const CHECKS: readonly Check[] = [
  { name: "types", run: () => capture(tsc("-p", "tsconfig.json")) },
  { name: "types of load tests", run: () => capture(tsc("-p", "loadtest/tsconfig.json")) },
  { name: "types of the console", run: () => capture(tsc("--noEmit", "-p", "packages/console")) },
  { name: "lint and format", run: () => capture(biome("check", "--error-on-warnings")) },
  { name: "imports", run: async () => sentences(findViolations(readSources(), readPackages())) },
  { name: "contracts", run: () => capture(buf("lint")) },
  { name: "contracts keep their promises", run: () => checkBreaking() },
  { name: "generated code is fresh", run: checkGenerated },
  { name: "manifests", run: () => checkManifests() },
  { name: "dashboards and rules are fresh", run: () => checkDashboards() },
];

/**
 * Runs every check at the same time, a line for each as it ends and its output where it failed.
 *
 * @returns whether all of them passed
 */
export async function checkAll(): Promise<boolean> {
  const results = await Promise.all(
    CHECKS.map(async ({ name, run }) => {
      const start = performance.now();
      const { exitCode, output, remark } = await run();
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const passed = exitCode === 0;
      console.log(`${passed ? "✔" : "✖"} ${name} (${seconds} s${remark ? `, ${remark}` : ""})`);
      if (!passed) console.log(output.replaceAll(/^/gm, "  "));
      return passed;
    }),
  );
  return results.every((passed) => passed);
}

function sentences(problems: readonly string[]): Remark {
  return { exitCode: problems.length, output: problems.join("\n") };
}
