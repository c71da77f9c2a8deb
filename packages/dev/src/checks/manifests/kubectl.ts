import { accessSync, constants, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { parseAllDocuments } from "yaml";
import { capture } from "../tools.ts";
import { type Manifest, manifestOf } from "./fields.ts";

/** The setting that names kubectl, where the one on the PATH is not meant. */
const SETTING = "KUBECTL";

/** The kubectl to use; undefined where there is none. */
export function findKubectl(): string | undefined {
  const named = process.env[SETTING];
  if (named) return named;
  const paths = (process.env.PATH ?? "").split(delimiter).map((directory) => join(directory, "kubectl"));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A kustomization as `kubectl apply -k` would send it, or why it would not. */
export interface Rendering {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly string[];
}

/** Renders a directory with a kustomization. A warning is a problem too. */
export async function render(kubectl: string, directory: string): Promise<Rendering> {
  const { exitCode, output } = await capture({ command: kubectl, args: ["kustomize", directory] });
  if (exitCode !== 0) return { manifests: [], problems: [output] };
  const warnings = output.split("\n").filter((line) => /^(# )?Warning: /.test(line));
  const documents = parseAllDocuments(output);
  const problems = [...warnings, ...documents.flatMap(({ errors }) => errors.map(({ message }) => message))];
  return { manifests: documents.map((document) => manifestOf(document.toJS())), problems };
}

/** Renders the base with one component on it. */
export async function renderComponent(kubectl: string, base: string, component: string): Promise<Rendering> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "gantry-component-")));
  try {
    const kustomization = {
      resources: [relative(directory, realpathSync(base))],
      components: [relative(directory, realpathSync(component))],
    };
    // YAML is a superset of JSON.
    writeFileSync(join(directory, "kustomization.yaml"), JSON.stringify(kustomization));
    return await render(kubectl, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
