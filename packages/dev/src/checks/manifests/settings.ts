import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../../bootstrap.mjs";
import type { Cluster } from "./cluster.ts";
import { type Fields, fields, get, items, text, titleOf } from "./fields.ts";

/** Workers pass over what they do not know: so every setting that a manifest names has to be one of theirs. */
export function unknownSettingProblems(cluster: Cluster): string[] {
  return cluster.pods
    .filter(({ labels }) => labels["app.kubernetes.io/component"] === "worker")
    .flatMap(({ owner, containers }) => {
      const known = documentedSettings(owner.name);
      return containers
        .flatMap((container) => namesOf(cluster, container))
        .filter((name) => !known.has(name) && !name.startsWith("OTEL_"))
        .map((name) => `${titleOf(owner)}: ${name} is no setting that ${owner.name} knows.`);
    });
}

/** The names of a container's environment variables, without those that are there to be put into others. */
function namesOf(cluster: Cluster, container: Fields): string[] {
  const variables = items(container.env).map(fields);
  const values = variables.map(({ value }) => text(value));
  const own = variables
    .map(({ name }) => text(name))
    .filter((name) => !values.some((value) => value.includes(`$(${name})`)));
  const shared = items(container.envFrom).flatMap((source) => {
    const configMap = cluster.find("ConfigMap", text(get(source, "configMapRef", "name")));
    return Object.keys(fields(configMap?.content.data));
  });
  return [...shared, ...own];
}

/** The settings in the tables of README.md, which every worker has, and of the page that is its own. */
function documentedSettings(worker: string): ReadonlySet<string> {
  const pages = ["README.md", `docs/${worker}.md`].map((page) => join(root, page)).filter(existsSync);
  const rows = pages.flatMap((page) => readFileSync(page, "utf8").match(/^\| `[A-Z][^|]*\|/gm) ?? []);
  return new Set(rows.flatMap((row) => row.match(/[A-Z][A-Z0-9_]+(?=`)/g) ?? []));
}
