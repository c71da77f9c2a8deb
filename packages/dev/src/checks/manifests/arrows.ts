import { type Cluster, isKnativeService, matches, type Pods, portOf } from "./cluster.ts";
import { environmentOf } from "./environment.ts";
import { fields, get, items, text, titleOf } from "./fields.ts";
import { targetPortOf } from "./references.ts";

/**
 * Follows every address of this namespace that a container's settings or configuration file name: there is such
 * a Service, it has that port, and the NetworkPolicies of both ends let the call through.
 */
export function addressProblems(cluster: Cluster): string[] {
  return cluster.pods.flatMap((pods) =>
    addressesOf(cluster, pods).flatMap(({ host, port }) => {
      const said = `${titleOf(pods.owner)} calls ${host}:${port}`;
      const service = cluster.find("Service", host);
      if (!service && OPTIONAL.includes(host)) return [];
      if (!service) return [`${said}: there is no Service "${host}".`];
      // Knative's ingress answers for its Services, outside of this namespace.
      if (isKnativeService(service)) return [];
      const target = targetPortOf(cluster, service, port);
      if (target === undefined) return [`${said}: Service ${host} has no port ${port}.`];
      return cluster
        .select({ matchLabels: get(service.content, "spec", "selector") })
        .flatMap((to) => arrowProblems(cluster, pods, to, target))
        .map((problem) => `${said}: ${problem}`);
    }),
  );
}

/** What Envoy can be without: its spans then go nowhere. */
const OPTIONAL = ["otel-collector"];

/** `greeter -> math:50052` for every pair of pods between which the NetworkPolicies open a port that there is. */
export function openArrows(cluster: Cluster): string[] {
  const arrows = cluster.pods.flatMap((from) =>
    cluster.pods.flatMap((to) =>
      portsOf(to)
        .filter((port) => arrowProblems(cluster, from, to, port).length === 0)
        .map((port) => `${from.owner.name} -> ${to.owner.name}:${port}`),
    ),
  );
  return arrows.sort();
}

function portsOf(pods: Pods): number[] {
  return pods.containers.flatMap(({ ports }) =>
    items(ports).map((port) => Number(get(port, "containerPort"))),
  );
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** `redis://valkey:6379`, `dns:///greeter:50051`, `http://envoy.gantry.svc.cluster.local:80`. */
const URL_HOST =
  /(?:dns:\/\/\/|\w:\/\/)([a-z][a-z0-9-]*)(?:\.([a-z0-9-]+)\.svc\.cluster\.local)?(?::(\d+))?(?=[/"'\s,]|$)/g;
/** An address of Envoy's configuration, as JSON or as YAML: `address: greeter.gantry.svc.cluster.local`. */
const ENVOY_HOST =
  /address"?:\s*"?([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local"?,?\s*"?port_value"?:\s*(\d+)/g;

function addressesOf(cluster: Cluster, { spec, containers, owner }: Pods): Address[] {
  const mounted = items(spec.volumes).flatMap((volume) => {
    const configMap = cluster.find("ConfigMap", text(get(volume, "configMap", "name")));
    return Object.values(fields(configMap?.content.data));
  });
  const settings = containers.flatMap((container) => [...environmentOf(cluster, container).values()]);
  const texts = [...settings, ...mounted].map(text);
  const found = texts.flatMap((each) => [...each.matchAll(URL_HOST), ...each.matchAll(ENVOY_HOST)]);
  const addresses = found
    .filter(([, , namespace]) => namespace === undefined || namespace === owner.namespace)
    .map(([, host = "", , port]) => ({ host, port: Number(port ?? 80) }));
  return [...new Map(addresses.map((address) => [`${address.host}:${address.port}`, address])).values()];
}

/** Why the policies of one end or the other do not let pods call a port of others. */
function arrowProblems(cluster: Cluster, from: Pods, to: Pods, port: number): string[] {
  const problems: string[] = [];
  if (!isOpen(cluster, "Egress", from, to, port))
    problems.push(`no NetworkPolicy of ${from.owner.name} lets it out.`);
  if (!isOpen(cluster, "Ingress", to, from, port))
    problems.push(`no NetworkPolicy of ${to.owner.name} lets it in.`);
  return problems;
}

const DIRECTIONS = {
  Egress: { rules: "egress", peers: "to" },
  Ingress: { rules: "ingress", peers: "from" },
} as const;

/** Whether what holds for one end, in one direction, opens a port between it and another. */
function isOpen(
  cluster: Cluster,
  direction: keyof typeof DIRECTIONS,
  own: Pods,
  other: Pods,
  port: number,
): boolean {
  const { rules, peers } = DIRECTIONS[direction];
  const holding = cluster
    .ofKind("NetworkPolicy")
    .map(({ content }) => fields(content.spec))
    .filter((spec) => matches(spec.podSelector, own.labels) && items(spec.policyTypes).includes(direction));
  if (holding.length === 0) return true;
  const listening = direction === "Egress" ? other : own;
  return holding
    .flatMap((spec) => items(spec[rules]).map(fields))
    .some((rule) => {
      const chosen = rule[peers] === undefined || items(rule[peers]).some((peer) => isPeer(peer, other));
      const opened =
        rule.ports === undefined ||
        items(rule.ports).some((each) => portOf(listening, get(each, "port")) === port);
      return chosen && opened;
    });
}

function isPeer(peer: unknown, pods: Pods): boolean {
  const { podSelector, namespaceSelector } = fields(peer);
  const hasName = { "kubernetes.io/metadata.name": pods.owner.namespace };
  if (namespaceSelector !== undefined && !matches(namespaceSelector, hasName)) return false;
  return podSelector === undefined ? namespaceSelector !== undefined : matches(podSelector, pods.labels);
}
