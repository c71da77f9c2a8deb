import { type Fields, fields, get, items, type Labels, labels, type Manifest, text } from "./fields.ts";

/** Pods that some object makes, by what is known of them before they are there. */
export interface Pods {
  readonly owner: Manifest;
  readonly labels: Labels;
  readonly spec: Fields;
  readonly containers: readonly Fields[];
  /** Whether others, such as Knative's own proxy, open ports beside those that are declared. */
  readonly hasOthersPorts: boolean;
}

/** A set of manifests as they would be in a cluster, all of them in one namespace. */
export interface Cluster {
  readonly manifests: readonly Manifest[];
  readonly pods: readonly Pods[];
  /** The object of this kind and name. */
  find(kind: string, name: string): Manifest | undefined;
  ofKind(...kinds: readonly string[]): readonly Manifest[];
  /** The pods that a selector chooses. */
  select(selector: unknown): readonly Pods[];
}

export function clusterOf(manifests: readonly Manifest[]): Cluster {
  const pods = manifests.flatMap(podsOf);
  return {
    manifests,
    pods,
    find: (kind, name) => manifests.find((each) => each.kind === kind && each.name === name),
    ofKind: (...kinds) => manifests.filter(({ kind }) => kinds.includes(kind)),
    select: (selector) => pods.filter((each) => matches(selector, each.labels)),
  };
}

const WITH_TEMPLATE = ["Deployment", "StatefulSet", "DaemonSet", "Job"];

function podsOf(owner: Manifest): Pods[] {
  const isKnative = isKnativeService(owner);
  if (WITH_TEMPLATE.includes(owner.kind) || isKnative) {
    const template = get(owner.content, "spec", "template");
    const spec = fields(get(template, "spec"));
    const containers = [...items(spec.initContainers), ...items(spec.containers)].map(fields);
    const podLabels = labels(get(template, "metadata", "labels"));
    return [{ owner, labels: podLabels, spec, containers, hasOthersPorts: isKnative }];
  }
  if (owner.kind !== "TestRun") return [];
  const runner = fields(get(owner.content, "spec", "runner"));
  const podLabels = labels(get(runner, "metadata", "labels"));
  return [{ owner, labels: podLabels, spec: {}, containers: [runner], hasOthersPorts: true }];
}

export function isKnativeService({ apiVersion, kind }: Manifest): boolean {
  return kind === "Service" && apiVersion.startsWith("serving.knative.dev/");
}

/** Whether a selector (`matchLabels` and `matchExpressions`) chooses what has these labels. An empty one does. */
export function matches(selector: unknown, of: Labels): boolean {
  const { matchLabels, matchExpressions } = fields(selector);
  return (
    Object.entries(labels(matchLabels)).every(([name, value]) => of[name] === value) &&
    items(matchExpressions).every((expression) => {
      const { key, operator, values } = fields(expression);
      const value = of[text(key)];
      const isAmong = value !== undefined && items(values).includes(value);
      if (operator === "In") return isAmong;
      if (operator === "NotIn") return !isAmong;
      return (value !== undefined) === (operator === "Exists");
    })
  );
}

/** The number of a port of these pods, by its name or number; undefined where they have no such port. */
export function portOf(pods: Pods, port: unknown): number | undefined {
  const ports = pods.containers.flatMap((container) => items(container.ports).map(fields));
  const found = ports.find(
    ({ name, containerPort }) => (typeof port === "number" ? containerPort : name) === port,
  );
  if (found) return Number(found.containerPort);
  return typeof port === "number" && pods.hasOthersPorts ? port : undefined;
}
