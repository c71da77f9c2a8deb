/** What renders the manifests, and says what a cluster would refuse in them: the program of test/kubernetes. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Fields } from "../../packages/dev/src/checks/manifests/fields.ts";
import { builtProgram, requireProgram } from "./programs.ts";
import { ROOT } from "./worker-process.ts";

/** Knows `kustomize`, as kubectl does, and `validate`. */
export const KUBECTL = builtProgram("kubernetes");

/** For tests that render manifests. */
export const needsKubectl = requireProgram(KUBECTL, "bash test/support/ci-tools.sh builds it");

/** The definitions of custom resources, as their projects publish them. They are not part of this repository. */
export const DEFINITIONS = process.env.GANTRY_CRDS ?? join(ROOT, "../shared/crds");

/** For tests that validate custom resources. They are no program that could be installed: without them, CI skips too. */
export function requireDefinitions(): { skip: string | false } {
  if (existsSync(DEFINITIONS)) return { skip: false };
  return { skip: `${DEFINITIONS} is not there: GANTRY_CRDS names a folder of CustomResourceDefinitions` };
}

/** What a cluster would refuse in manifests that are applied together, a line each. */
export async function refusedOf(documents: readonly Fields[]): Promise<string[]> {
  const args = ["validate", "--definitions", DEFINITIONS];
  const { code, stdout, stderr } = await runToEnd(KUBECTL, args, multiDocument(documents), process.env);
  if (code !== 0 && stdout === "") throw new Error(stderr);
  return stdout.split("\n").filter((line) => line !== "");
}

export function multiDocument(documents: readonly Fields[]): string {
  return documents.map((each) => stringify(each)).join("---\n");
}

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runToEnd(
  program: string,
  args: readonly string[],
  stdin: string,
  env: NodeJS.ProcessEnv,
): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { env, maxBuffer: 64 * 1_024 * 1_024 },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode ?? 1, stdout, stderr });
      },
    );
    child.stdin?.end(stdin);
  });
}
