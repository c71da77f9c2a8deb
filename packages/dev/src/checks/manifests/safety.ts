import { parseDurationMs } from "@gantry/rpc";
import type { Cluster, Pods } from "./cluster.ts";
import { environmentOf } from "./environment.ts";
import { type Fields, fields, get, labels, text, titleOf, walk } from "./fields.ts";

/** What a cluster would accept, and should not be given. */
export function safetyProblems(cluster: Cluster): string[] {
  return [
    ...cluster.manifests.flatMap((manifest) => {
      const problems = [
        ...imageProblems(manifest.content),
        ...namespaceProblems(cluster, manifest.namespace, manifest.kind),
      ];
      if (manifest.kind === "ConfigMap") problems.push(...secretProblems(manifest.content));
      return problems.map((problem) => `${titleOf(manifest)}: ${problem}`);
    }),
    ...cluster.pods.flatMap((pods) =>
      drainProblems(cluster, pods).map((problem) => `${titleOf(pods.owner)}: ${problem}`),
    ),
  ];
}

function imageProblems(content: Fields): string[] {
  return [...walk(content)]
    .filter(({ name, value }) => name === "image" && typeof value === "string")
    .map(({ value }) => text(value))
    .filter((image) => !/@sha256:[0-9a-f]{64}$/.test(image) && !/:(?!latest$)[\w][\w.-]*$/.test(image))
    .map(
      (image) =>
        `image ${image} can be another one tomorrow: expected a tag that is not latest, or a digest.`,
    );
}

/** Kinds that belong to no namespace. */
const OF_THE_CLUSTER = ["Namespace", "GatewayClass", "ClusterIssuer"];

function namespaceProblems(cluster: Cluster, namespace: string, kind: string): string[] {
  if (OF_THE_CLUSTER.includes(kind)) return [];
  if (namespace === "") return ["it says of no namespace that it is in it."];
  return cluster.find("Namespace", namespace) ? [] : [`there is no Namespace "${namespace}".`];
}

function secretProblems(content: Fields): string[] {
  return Object.entries(labels(content.data)).flatMap(([name, value]) => {
    const isSecret = /password|passphrase|token|secret|private.?key/i.test(name);
    const holdsSecret = /:\/\/[^\s/@]*:[^\s/@]+@|-----BEGIN [A-Z ]*PRIVATE KEY/.test(value);
    return isSecret || holdsSecret ? [`"${name}" holds a secret: expected it in a Secret.`] : [];
  });
}

/** What the kubelet itself takes, and a worker that is slow to end. */
const MARGIN_MS = 5_000;

function drainProblems(cluster: Cluster, { containers, spec }: Pods): string[] {
  return containers.flatMap((container) => {
    const environment = environmentOf(cluster, container);
    const delay = environment.get("DRAIN_DELAY");
    const timeout = environment.get("DRAIN_TIMEOUT");
    const grace = spec.terminationGracePeriodSeconds;
    // Without them, or where Knative decides, there is nothing to be in step with.
    if (delay === undefined || timeout === undefined || spec.containerConcurrency !== undefined) return [];
    const drainMs = (parseDurationMs(delay) ?? Number.NaN) + (parseDurationMs(timeout) ?? Number.NaN);
    const problems: string[] = [];
    const preStopMs = Number(get(container, "lifecycle", "preStop", "sleep", "seconds") ?? 0) * 1_000;
    const neededS = (preStopMs + drainMs + MARGIN_MS) / 1_000;
    if (!(Number(grace) >= neededS)) {
      problems.push(
        `terminationGracePeriodSeconds is ${text(grace) || "not set"}: preStop, DRAIN_DELAY, DRAIN_TIMEOUT and a margin take ${neededS}.`,
      );
    }
    const { periodSeconds, failureThreshold } = fields(container.livenessProbe);
    if (!(Number(periodSeconds) * Number(failureThreshold) * 1_000 > drainMs)) {
      problems.push(
        `livenessProbe gives up within ${drainMs / 1_000}s: a worker that drains would be killed.`,
      );
    }
    return problems;
  });
}
