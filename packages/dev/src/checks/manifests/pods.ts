import { type Cluster, type Pods, portOf } from "./cluster.ts";
import { environmentOf } from "./environment.ts";
import { type Fields, fields, get, items, text, titleOf } from "./fields.ts";

/** What is wrong with the pods themselves, and with what they name. */
export function podProblems(cluster: Cluster): string[] {
  return cluster.pods.flatMap((pods) => {
    const said = [
      ...serviceAccountProblems(cluster, pods),
      ...volumeProblems(cluster, pods),
      ...pods.containers.flatMap((container) => [
        ...mountProblems(cluster, pods, container),
        ...settingProblems(cluster, container),
        ...probeProblems(pods, container),
        ...resourceProblems(container),
      ]),
    ];
    return said.map((problem) => `${titleOf(pods.owner)}: ${problem}`);
  });
}

function serviceAccountProblems(cluster: Cluster, { spec, owner }: Pods): string[] {
  if (owner.kind === "TestRun") return [];
  const name = text(spec.serviceAccountName);
  const problems: string[] = [];
  if (!cluster.find("ServiceAccount", name)) problems.push(`there is no ServiceAccount "${name}".`);
  if (spec.automountServiceAccountToken !== false) {
    problems.push("automountServiceAccountToken is not false: expected pods without a token.");
  }
  return problems;
}

function volumeProblems(cluster: Cluster, { spec }: Pods): string[] {
  return items(spec.volumes).flatMap((volume) => {
    const configMap = text(get(volume, "configMap", "name"));
    const secret = text(get(volume, "secret", "secretName"));
    if (configMap && !cluster.find("ConfigMap", configMap)) return `there is no ConfigMap "${configMap}".`;
    if (secret && !hasSecret(cluster, secret))
      return `there is no Secret "${secret}", nor who would make it.`;
    return [];
  });
}

/** Secrets are not among the manifests: cert-manager makes them. */
export function hasSecret(cluster: Cluster, name: string): boolean {
  const made = cluster.ofKind("Certificate").some((each) => get(each.content, "spec", "secretName") === name);
  return made || cluster.find("Secret", name) !== undefined;
}

/** What cert-manager writes into a Secret. */
const CERTIFICATE_FILES = ["tls.crt", "tls.key", "ca.crt"];

function mountProblems(cluster: Cluster, { spec, owner }: Pods, container: Fields): string[] {
  const volumes = new Map<string, unknown>();
  for (const volume of [
    ...items(spec.volumes),
    ...items(get(owner.content, "spec", "volumeClaimTemplates")),
  ]) {
    volumes.set(text(get(volume, "name")) || text(get(volume, "metadata", "name")), volume);
  }
  const mounts = items(container.volumeMounts).map(fields);
  const problems = mounts
    .filter(({ name }) => !volumes.has(text(name)))
    .map(({ name }) => `there is no volume "${text(name)}" to mount.`);

  // What is said to be in a file has to be mounted there.
  const words = [
    ...environmentOf(cluster, container).values(),
    ...items(container.args),
    ...items(container.command),
  ];
  for (const path of words.flatMap((word) => text(word).match(/\/etc\/[\w./-]+/g) ?? [])) {
    const mount = mounts.find(
      ({ mountPath }) => path === mountPath || path.startsWith(`${text(mountPath)}/`),
    );
    const file = path.slice(text(mount?.mountPath).length + 1);
    const volume = volumes.get(text(mount?.name));
    const configMap = cluster.find("ConfigMap", text(get(volume, "configMap", "name")));
    const held = configMap
      ? [...Object.keys(fields(configMap.content.data)), ...Object.keys(fields(configMap.content.binaryData))]
      : CERTIFICATE_FILES;
    if (!mount) problems.push(`nothing is mounted where ${path} should be.`);
    else if (file && !held.includes(file))
      problems.push(`${path} is not in what is mounted there: ${held.join(", ")}.`);
  }
  return problems;
}

function settingProblems(cluster: Cluster, container: Fields): string[] {
  const problems = items(container.envFrom).flatMap((source) => {
    const name = text(get(source, "configMapRef", "name"));
    return name && !cluster.find("ConfigMap", name)
      ? [`there is no ConfigMap "${name}" to take settings from.`]
      : [];
  });
  for (const variable of items(container.env)) {
    const reference = fields(get(variable, "valueFrom", "configMapKeyRef"));
    const secret = text(get(variable, "valueFrom", "secretKeyRef", "name"));
    const configMap = cluster.find("ConfigMap", text(reference.name));
    if (reference.name && get(configMap?.content, "data", text(reference.key)) === undefined) {
      problems.push(`there is no ConfigMap "${text(reference.name)}" with "${text(reference.key)}".`);
    }
    if (secret && !hasSecret(cluster, secret)) problems.push(`there is no Secret "${secret}".`);
  }
  return problems;
}

const PROBES = ["startupProbe", "readinessProbe", "livenessProbe"];

function probeProblems(pods: Pods, container: Fields): string[] {
  const { kind } = pods.owner;
  const problems = ["Deployment", "StatefulSet"].includes(kind)
    ? PROBES.filter((name) => !(name in container)).map((name) => `a container has no ${name}.`)
    : [];
  for (const name of PROBES) {
    for (const how of ["grpc", "httpGet", "tcpSocket"]) {
      const asked = get(container, name, how);
      const port = get(asked, "port");
      // Knative puts the port in where none is named.
      if (asked === undefined || (port === undefined && pods.hasOthersPorts)) continue;
      if (portOf(pods, port) === undefined)
        problems.push(`${name} asks port ${text(port)}, which no container has.`);
    }
  }
  if (container.readinessProbe && sameQuestion(container.readinessProbe, container.livenessProbe)) {
    problems.push(
      "readinessProbe and livenessProbe ask the same: a pod that is not ready would be restarted.",
    );
  }
  return problems;
}

function sameQuestion(one: unknown, other: unknown): boolean {
  const question = (probe: unknown) =>
    JSON.stringify(["grpc", "httpGet", "tcpSocket"].map((how) => get(probe, how)));
  return question(one) === question(other);
}

function resourceProblems(container: Fields): string[] {
  return ["requests", "limits"].flatMap((kind) =>
    ["cpu", "memory"]
      .filter((resource) => get(container, "resources", kind, resource) === undefined)
      .map((resource) => `a container has no ${kind} of ${resource}.`),
  );
}
