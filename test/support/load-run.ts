/** Runs of `npm run load`, with a real k6. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Result } from "../../loadtest/lib/report/result.ts";
import { capture } from "../../packages/dev/src/checks/tools.ts";
import { builtProgram, requireProgram } from "./programs.ts";
import { ROOT, type Settings } from "./worker-process.ts";

const K6 = builtProgram("k6");

export const needsK6 = requireProgram(K6, "bash test/support/ci-tools.sh builds it");

/** What k6 ends with where a threshold does not hold. */
export const THRESHOLD_CROSSED = 99;

export interface LoadRun {
  readonly exitCode: number;
  /** All that was printed. */
  readonly output: string;
  readonly result: Result;
  readonly page: string;
}

/** Runs a scenario to its end, and reads what it has reported. */
export async function runLoad(
  scenario: string,
  settings: Settings,
  ...options: readonly string[]
): Promise<LoadRun> {
  const directory = await mkdtemp(join(tmpdir(), "gantry-load-"));
  try {
    const report = join(directory, "report");
    const { exitCode, output } = await load([scenario, ...options], { REPORT: report, ...settings });
    const read = (kind: string) =>
      readFile(`${report}.${kind}`, "utf8").catch(() => {
        throw new Error(`There is no report, and k6 ended with ${exitCode}:\n${output}`);
      });
    return { exitCode, output, result: JSON.parse(await read("json")), page: await read("html") };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** `npm run load -- …`, with the k6 that was built and no other settings than these. */
export function load(args: readonly string[], settings: Settings = {}) {
  const { PATH, HOME } = process.env;
  return capture({
    command: process.execPath,
    args: [join(ROOT, "packages/dev/src/load.ts"), ...args],
    env: { PATH, HOME, K6, ...settings },
  });
}

/** The thresholds and checks that did not hold. */
export function broken({ thresholds, checks }: Result): string[] {
  return [...thresholds, ...checks].filter(({ ok }) => !ok).map(({ rule }) => rule);
}

/** The same, but for those of latency: a machine that others are busy on is as slow as it is. */
export function wrong(result: Result): string[] {
  return broken(result).filter((rule) => !rule.includes(" of grpc_req_duration"));
}
