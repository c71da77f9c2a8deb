import type { Cluster } from "./cluster.ts";
import { type Fields, fields, get, items, labels, text } from "./fields.ts";

/** The environment variables of a container whose values stand in the manifests. */
export function environmentOf(cluster: Cluster, container: Fields): ReadonlyMap<string, string> {
  const environment = new Map<string, string>();
  for (const source of items(container.envFrom)) {
    const configMap = cluster.find("ConfigMap", text(get(source, "configMapRef", "name")));
    for (const [name, value] of Object.entries(labels(configMap?.content.data))) environment.set(name, value);
  }
  for (const variable of items(container.env).map(fields)) {
    if (variable.value !== undefined) environment.set(text(variable.name), text(variable.value));
  }
  return environment;
}
