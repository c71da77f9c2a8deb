import { type Cluster, portOf } from "./cluster.ts";
import { fields, get, items, type Manifest, text, titleOf } from "./fields.ts";
import { hasSecret } from "./pods.ts";

/** What is wrong with custom resources that name other objects. */
export function referenceProblems(cluster: Cluster): string[] {
  return cluster.manifests.flatMap((manifest) =>
    problemsOf(cluster, manifest).map((problem) => `${titleOf(manifest)}: ${problem}`),
  );
}

function problemsOf(cluster: Cluster, manifest: Manifest): string[] {
  const spec = fields(manifest.content.spec);
  switch (manifest.kind) {
    case "GRPCRoute":
    case "HTTPRoute":
      return [
        ...items(spec.parentRefs).flatMap((parent) => missing(cluster, "Gateway", get(parent, "name"))),
        ...items(spec.rules)
          .flatMap((rule) => items(get(rule, "backendRefs")))
          .flatMap((backend) => backendProblems(cluster, text(get(backend, "name")), get(backend, "port"))),
      ];
    case "ClientTrafficPolicy":
    case "BackendTrafficPolicy":
      return items(spec.targetRefs).flatMap((target) =>
        missing(cluster, text(get(target, "kind")), get(target, "name")),
      );
    case "Certificate":
      return missing(cluster, text(get(spec, "issuerRef", "kind")), get(spec, "issuerRef", "name"));
    case "Issuer": {
      const secret = text(get(spec, "ca", "secretName"));
      return secret && !hasSecret(cluster, secret)
        ? [`there is no Secret "${secret}", nor who would make it.`]
        : [];
    }
    case "TestRun": {
      const { name, file } = fields(get(spec, "script", "configMap"));
      const configMap = cluster.find("ConfigMap", text(name));
      const holds = get(configMap?.content, "data", text(file)) !== undefined;
      return holds ? [] : [`there is no ConfigMap "${text(name)}" with "${text(file)}".`];
    }
    default:
      return [];
  }
}

function missing(cluster: Cluster, kind: string, name: unknown): string[] {
  return cluster.find(kind, text(name)) ? [] : [`there is no ${kind} "${text(name)}".`];
}

function backendProblems(cluster: Cluster, name: string, port: unknown): string[] {
  const service = cluster.find("Service", name);
  if (!service) return [`there is no Service "${name}".`];
  const has = items(get(service.content, "spec", "ports")).some((each) => get(each, "port") === port);
  return has ? [] : [`Service ${name} has no port ${text(port)}.`];
}

/** The port of a Service's pods behind one of its own ports; undefined where there is none. */
export function targetPortOf(cluster: Cluster, service: Manifest, port: number): number | undefined {
  const found = items(get(service.content, "spec", "ports"))
    .map(fields)
    .find((each) => each.port === port);
  const [pods] = cluster.select({ matchLabels: get(service.content, "spec", "selector") });
  return found && pods && portOf(pods, found.targetPort ?? port);
}
