/**
 * The manifests of `k8s/`: every overlay, and every component alone on the base, rendered by kubectl and looked at
 * as a whole. Whether a cluster would take each object is what the tests ask: test/k8s-validation.test.ts.
 */
import { globSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { root } from "../../../bootstrap.mjs";
import type { Remark } from "../breaking.ts";
import { addressProblems } from "./arrows.ts";
import { type Cluster, clusterOf } from "./cluster.ts";
import { findKubectl, type Rendering, render, renderComponent } from "./kubectl.ts";
import { podProblems } from "./pods.ts";
import { referenceProblems } from "./references.ts";
import { safetyProblems } from "./safety.ts";
import { selectorProblems } from "./selectors.ts";
import { unknownSettingProblems } from "./settings.ts";

/** One way to apply the manifests. */
export interface Variant {
  /** `overlays/local`, `components/keda`. */
  readonly name: string;
  render(kubectl: string): Promise<Rendering>;
}

/** All of them, in a directory such as `k8s/`. */
export function variantsOf(directory: string): Variant[] {
  const paths = globSync("{overlays,components}/*/kustomization.yaml", { cwd: directory });
  return paths.sort().map((path) => {
    const name = posix.dirname(path.split(sep).join("/"));
    const at = join(directory, name);
    const isOverlay = name.startsWith("overlays/");
    return {
      name,
      render: (kubectl) =>
        isOverlay ? render(kubectl, at) : renderComponent(kubectl, join(directory, "base"), at),
    };
  });
}

const CHECKS = [
  podProblems,
  selectorProblems,
  referenceProblems,
  safetyProblems,
  addressProblems,
  unknownSettingProblems,
];

/** What is wrong with manifests that are applied together, a sentence each. */
export function problemsOf(cluster: Cluster): string[] {
  return CHECKS.flatMap((check) => check(cluster));
}

/** Checks all variants. Without kubectl they are not checked, which in CI is a failure. */
export async function checkManifests(directory = join(root, "k8s")): Promise<Remark> {
  const kubectl = findKubectl();
  if (kubectl === undefined) {
    return process.env.CI === "true"
      ? { exitCode: 1, output: "kubectl is not there: bash test/support/ci-tools.sh builds it." }
      : { exitCode: 0, output: "", remark: "not checked: kubectl is not there" };
  }
  const checked = await Promise.all(
    variantsOf(directory).map(async (variant) => {
      const { manifests, problems } = await variant.render(kubectl);
      const found = problems.length > 0 ? problems : problemsOf(clusterOf(manifests));
      return found.map((problem) => `k8s/${variant.name}: ${problem}`);
    }),
  );
  const output = checked.flat();
  return { exitCode: output.length, output: output.join("\n") };
}
