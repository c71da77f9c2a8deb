import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../bootstrap.mjs";
import { vendorProtos } from "../../generate.mjs";
import { buf, type CommandLine, capture, git, type Outcome } from "./tools.ts";

/** The setting that names what the contracts are compared with, instead of the main branch. */
const SETTING = "GANTRY_BREAKING_AGAINST";

/** An outcome that may carry a remark although all is well. */
export interface Remark extends Outcome {
  readonly remark?: string;
}

/**
 * Compares the contracts of a working tree with those of the main branch, or where they are the same commit
 * with the commit before: a client that works must go on working.
 *
 * @param asked a commit to compare with instead; default is the setting's
 */
export async function checkBreaking(cwd = root, asked = process.env[SETTING]): Promise<Remark> {
  const here = (line: CommandLine) => capture({ ...line, cwd });
  const commitOf = async (name: string) => {
    const { exitCode, output } = await here(git("rev-parse", "--verify", "--quiet", `${name}^{commit}`));
    return exitCode === 0 ? output : undefined;
  };

  const base = asked || (await findBase(commitOf));
  if (base === undefined) return passed("there is no earlier commit to compare with");
  if ((await commitOf(base)) === undefined) {
    return {
      exitCode: 1,
      output: `${SETTING} is ${JSON.stringify(base)}: expected a commit of this repository.`,
    };
  }
  const contracts = await here(git("cat-file", "-e", `${base}:proto`));
  if (contracts.exitCode !== 0) return passed(`${base} has no contracts yet`);

  const directory = mkdtempSync(join(tmpdir(), "gantry-breaking-"));
  try {
    const archive = join(directory, "contracts.tar");
    const before = join(directory, "before");
    mkdirSync(before);
    for (const step of [
      git("archive", "--output", archive, base, "proto", "buf.yaml"),
      { command: "tar", args: ["-xf", archive, "-C", before] },
    ]) {
      const outcome = await here(step);
      if (outcome.exitCode !== 0) return outcome;
    }
    vendorProtos(join(before, "proto/vendor"));
    const comparison = await here(buf("breaking", ".", "--against", before));
    return { ...comparison, remark: `against ${base}` };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function passed(remark: string): Remark {
  return { exitCode: 0, output: "", remark };
}

async function findBase(
  commitOf: (name: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const head = await commitOf("HEAD");
  for (const name of ["origin/main", "main", "HEAD~1"]) {
    const commit = await commitOf(name);
    if (commit !== undefined && commit !== head) return name;
  }
  return undefined;
}
