import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../bootstrap.mjs";
import { STAMP } from "../../generate.mjs";
import { staleEnvoyFiles } from "../envoy/files.ts";
import { buf, capture, type Outcome } from "./tools.ts";

/** Generates the code once more, elsewhere, and compares. */
export async function checkGenerated(): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), "gantry-generated-"));
  try {
    const generation = await capture(buf("generate", "--output", directory));
    if (generation.exitCode !== 0) return generation;
    const code = differences(join(directory, "proto/gen"), join(root, "proto/gen"));
    const differing = [...code.map((path) => `proto/gen/${path}`), ...staleEnvoyFiles()];
    const output = differing.map((path) => `${path} is not what proto/ generates.`);
    return {
      exitCode: differing.length,
      output: [...output, "To make it anew: npm run generate"].join("\n"),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Makes dashboards and rules once more and compares them with those that are committed. */
export async function checkDashboards(folder = join(root, "observability")): Promise<Outcome> {
  const { artifacts } = await import("@gantry/observability");
  const made = artifacts();
  const committed = ["dashboards", "rules"].flatMap((name) =>
    readdirSync(join(folder, name)).map((file) => `${name}/${file}`),
  );
  const differing = [...new Set([...made.keys(), ...committed])]
    .filter(
      (path) => !committed.includes(path) || made.get(path) !== readFileSync(join(folder, path), "utf8"),
    )
    .map((path) => `observability/${path} is not what observability/src generates.`);
  return {
    exitCode: differing.length,
    output: [...differing, "To make it anew: npm run generate"].join("\n"),
  };
}

/** The files that only one of two directories has, or that are not the same in both. */
export function differences(one: string, other: string): string[] {
  const [left, right] = [contentsOf(one), contentsOf(other)];
  const paths = new Set([...left.keys(), ...right.keys()]);
  return [...paths].filter((path) => left.get(path) !== right.get(path)).sort();
}

function contentsOf(directory: string): Map<string, string> {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => path !== STAMP && statSync(join(directory, path)).isFile());
  return new Map(files.map((path) => [path, readFileSync(join(directory, path), "utf8")]));
}
