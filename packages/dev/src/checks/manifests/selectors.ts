import { type Cluster, isKnativeService, type Pods, portOf } from "./cluster.ts";
import { fields, get, items, type Manifest, text, titleOf } from "./fields.ts";

/** What is wrong with objects that choose pods by their labels, or a workload by its name. */
export function selectorProblems(cluster: Cluster): string[] {
  return cluster.manifests.flatMap((manifest) =>
    problemsOf(cluster, manifest).map((problem) => `${titleOf(manifest)}: ${problem}`),
  );
}

function problemsOf(cluster: Cluster, manifest: Manifest): string[] {
  const spec = fields(manifest.content.spec);
  switch (manifest.kind) {
    case "Service":
      return isKnativeService(manifest) ? [] : serviceProblems(cluster, spec);
    case "PodDisruptionBudget":
      return chosen(cluster, spec.selector).problems;
    case "PodMonitor": {
      const { pods, problems } = chosen(cluster, spec.selector);
      const ports = items(spec.podMetricsEndpoints).map((endpoint) => get(endpoint, "port"));
      return [...problems, ...ports.flatMap((port) => portProblems(pods, port))];
    }
    case "NetworkPolicy":
      return networkPolicyProblems(cluster, spec);
    case "HorizontalPodAutoscaler":
    case "ScaledObject":
      return autoscalerProblems(cluster, manifest);
    case "StatefulSet":
      return cluster.find("Service", text(spec.serviceName))
        ? []
        : [`there is no Service "${text(spec.serviceName)}" to give its pods names.`];
    case "Deployment":
      return matchesItsOwn(cluster, spec) ? [] : ["its selector does not choose its own pods."];
    default:
      return [];
  }
}

function matchesItsOwn(cluster: Cluster, spec: unknown): boolean {
  return cluster.select(get(spec, "selector")).some(({ owner }) => owner.content.spec === spec);
}

function chosen(cluster: Cluster, selector: unknown): { pods: readonly Pods[]; problems: string[] } {
  const pods = cluster.select(selector);
  return {
    pods,
    problems: pods.length > 0 ? [] : [`its selector ${JSON.stringify(selector)} chooses no pod.`],
  };
}

function portProblems(pods: readonly Pods[], port: unknown): string[] {
  return pods
    .filter((each) => portOf(each, port) === undefined)
    .map(({ owner }) => `it names port ${text(port)}, which no container of ${titleOf(owner)} has.`);
}

function serviceProblems(cluster: Cluster, spec: unknown): string[] {
  const { pods, problems } = chosen(cluster, { matchLabels: get(spec, "selector") });
  const owners = new Set(pods.map(({ owner }) => titleOf(owner)));
  if (owners.size > 1)
    problems.push(`it chooses pods of ${[...owners].join(" and ")}: expected those of one.`);
  const ports = items(get(spec, "ports")).map((port) => get(port, "targetPort") ?? get(port, "port"));
  return [...problems, ...ports.flatMap((port) => portProblems(pods, port))];
}

function networkPolicyProblems(cluster: Cluster, spec: unknown): string[] {
  const { pods, problems } = chosen(cluster, get(spec, "podSelector"));
  for (const rule of items(get(spec, "ingress"))) {
    problems.push(...items(get(rule, "from")).flatMap((peer) => peerProblems(cluster, peer)));
    problems.push(...items(get(rule, "ports")).flatMap((port) => portProblems(pods, get(port, "port"))));
  }
  for (const rule of items(get(spec, "egress"))) {
    const peers = items(get(rule, "to"));
    problems.push(...peers.flatMap((peer) => peerProblems(cluster, peer)));
    const inside = peers.filter((peer) => get(peer, "namespaceSelector") === undefined);
    const targets = inside.flatMap((peer) => cluster.select(get(peer, "podSelector")));
    problems.push(...items(get(rule, "ports")).flatMap((port) => portProblems(targets, get(port, "port"))));
  }
  return problems;
}

/** Of other namespaces nothing is known. */
function peerProblems(cluster: Cluster, peer: unknown): string[] {
  const selector = get(peer, "podSelector");
  const isHere = get(peer, "namespaceSelector") === undefined && selector !== undefined;
  return isHere ? chosen(cluster, selector).problems : [];
}

function autoscalerProblems(cluster: Cluster, manifest: Manifest): string[] {
  const { kind, name } = fields(get(manifest.content, "spec", "scaleTargetRef"));
  const target = cluster.find(text(kind), text(name));
  if (!target) return [`there is no ${text(kind)} "${text(name)}" to scale.`];
  const problems: string[] = [];
  if (get(target.content, "spec", "replicas") !== undefined) {
    problems.push(
      `${titleOf(target)} says how many replicas it has: expected that only the autoscaler does.`,
    );
  }
  const others = cluster
    .ofKind("HorizontalPodAutoscaler", "ScaledObject")
    .filter((each) => each !== manifest && get(each.content, "spec", "scaleTargetRef", "name") === name);
  return [...problems, ...others.map((other) => `${titleOf(other)} scales ${titleOf(target)} as well.`)];
}
