import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openArrows } from "../packages/dev/src/checks/manifests/arrows.ts";
import { problemsOf, variantsOf } from "../packages/dev/src/checks/manifests/check-manifests.ts";
import { clusterOf } from "../packages/dev/src/checks/manifests/cluster.ts";
import { render, renderComponent } from "../packages/dev/src/checks/manifests/kubectl.ts";
import { KUBECTL, needsKubectl } from "./support/kubernetes.ts";
import { requireProgram } from "./support/programs.ts";
import { ROOT } from "./support/worker-process.ts";

const K8S = join(ROOT, "k8s");
const needsPromtool = requireProgram("promtool", "apt-get install prometheus");

test(
  "each overlay, and each component alone on the base, renders without warnings and holds together",
  needsKubectl,
  async () => {
    const variants = variantsOf(K8S);
    assert.deepEqual(
      variants.map(({ name }) => name.split("/")[1]),
      [
        ...[
          "autoscaling",
          "etcd",
          "gateway-api",
          "keda",
          "knative",
          "loadtest",
          "monitoring",
          "telemetry",
          "tls",
        ],
        ...["valkey", "local", "production", "serverless"],
      ],
    );
    for (const variant of variants) {
      const { manifests, problems } = await variant.render(KUBECTL);
      assert.deepEqual([...problems, ...problemsOf(clusterOf(manifests))], [], variant.name);
    }
  },
);

test("NetworkPolicies open the arrows of the architecture, and no other", needsKubectl, async () => {
  const { manifests } = await render(KUBECTL, join(K8S, "base"));
  assert.deepEqual(openArrows(clusterOf(manifests)), [
    "envoy -> gateway:8080",
    "envoy -> greeter:50051",
    "envoy -> math:50052",
    "gateway -> greeter:50051",
    "gateway -> math:50052",
  ]);
});

test("Prometheus takes the rules", needsKubectl.skip === false ? needsPromtool : needsKubectl, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "gantry-k8s-"));
  t.after(() => rm(directory, { recursive: true }));
  const { manifests } = await renderComponent(KUBECTL, join(K8S, "base"), join(K8S, "components/monitoring"));
  const rules = manifests.filter(({ kind }) => kind === "PrometheusRule").map(({ content }) => content.spec);
  assert.equal(rules.length, 1);
  await writeFile(join(directory, "rules.json"), JSON.stringify(rules[0]));
  execFileSync("promtool", ["check", "rules", join(directory, "rules.json")]);
});

interface Planted {
  readonly what: string;
  /** The file of k8s/ that is changed, and what in it. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Where it shows: an overlay, or a component alone on the base. */
  readonly shows: string;
  readonly said: RegExp;
}

const PLANTED: readonly Planted[] = [
  {
    what: "a Service that selects nothing",
    file: "base/workers/math.yaml",
    from: "  selector:\n    app.kubernetes.io/name: math\n  ports",
    to: "  selector:\n    app.kubernetes.io/name: maths\n  ports",
    shows: "overlays/local",
    said: /Service math: its selector .* chooses no pod/,
  },
  {
    what: "a ConfigMap that is not there",
    file: "base/workers/greeter.yaml",
    from: "name: greeter-policy",
    to: "name: greeter-polices",
    shows: "overlays/local",
    said: /Deployment greeter: there is no ConfigMap "greeter-polices"/,
  },
  {
    what: "a ServiceAccount that is not there",
    file: "base/workers/greeter.yaml",
    from: "serviceAccountName: greeter",
    to: "serviceAccountName: greeting",
    shows: "overlays/local",
    said: /there is no ServiceAccount "greeting"/,
  },
  {
    what: "a port's name that no container has",
    file: "base/workers/greeter.yaml",
    from: "targetPort: grpc",
    to: "targetPort: rpc",
    shows: "overlays/local",
    said: /Service greeter: it names port rpc, which no container of Deployment greeter has/,
  },
  {
    what: "a probe of a port that is not there",
    file: "base/workers/greeter.yaml",
    from: "grpc: { port: 50051, service: liveness }",
    to: "grpc: { port: 50052, service: liveness }",
    shows: "overlays/local",
    said: /livenessProbe asks port 50052, which no container has/,
  },
  {
    what: "a port that nobody listens on, in a worker's settings",
    file: "base/workers/gateway.yaml",
    from: "dns:///greeter:50051",
    to: "dns:///greeter:50052",
    shows: "overlays/local",
    said: /Deployment gateway calls greeter:50052: Service greeter has no port 50052/,
  },
  {
    what: "a setting that no worker knows",
    file: "base/workers/settings.env",
    from: "LOG_LEVEL=",
    to: "LOGLEVEL=",
    shows: "overlays/local",
    said: /Deployment greeter: LOGLEVEL is no setting that greeter knows/,
  },
  {
    what: "a setting that only the other worker knows",
    file: "components/tls/greeter.yaml",
    from: "    spec:\n      volumes:",
    to: "    spec:\n      containers: [{ name: worker, env: [{ name: MAX_SOCKETS, value: '9' }] }]\n      volumes:",
    shows: "components/tls",
    said: /Deployment greeter: MAX_SOCKETS is no setting that greeter knows/,
  },
  {
    what: "a NetworkPolicy for pods that are not there",
    file: "components/valkey/network.yaml",
    from: "app.kubernetes.io/component: worker",
    to: "app.kubernetes.io/component: workers",
    shows: "components/valkey",
    said: /NetworkPolicy valkey: its selector .* chooses no pod/,
  },
  {
    what: "a store whose NetworkPolicy lets nobody in",
    file: "components/valkey/network.yaml",
    from: "  ingress:\n    - from:\n        - podSelector:\n            matchLabels:\n              app.kubernetes.io/component: worker\n",
    to: "  ingress:\n    - from:\n        - podSelector:\n            matchLabels:\n              app.kubernetes.io/name: envoy\n",
    shows: "components/valkey",
    said: /Deployment greeter calls valkey:6379: no NetworkPolicy of valkey lets it in/,
  },
  {
    what: "an image without a tag",
    file: "base/kustomization.yaml",
    from: "  - name: gantry/math\n    newTag: 0.1.0\n",
    to: "",
    shows: "overlays/local",
    said: /Deployment math: image gantry\/math can be another one tomorrow/,
  },
  {
    what: "an autoscaler of a Deployment that is not there",
    file: "components/keda/scaled-objects.yaml",
    from: "    kind: Deployment\n    name: math",
    to: "    kind: Deployment\n    name: maths",
    shows: "components/keda",
    said: /ScaledObject math: there is no Deployment "maths" to scale/,
  },
  {
    what: "less time to end than a drain takes",
    file: "base/workers/settings.env",
    from: "DRAIN_TIMEOUT=25s",
    to: "DRAIN_TIMEOUT=30s",
    shows: "overlays/production",
    said: /Deployment greeter: terminationGracePeriodSeconds is 40: .* take 42/,
  },
  {
    what: "a secret in a ConfigMap",
    file: "components/valkey/kustomization.yaml",
    from: "redis://valkey",
    to: "redis://user:password@valkey",
    shows: "components/valkey",
    said: /"QUOTA_STORE" holds a secret/,
  },
  {
    what: "a certificate that nobody issues",
    file: "components/tls/greeter.yaml",
    from: "secretName: greeter-tls",
    to: "secretName: greeter-cert",
    shows: "components/tls",
    said: /there is no Secret "greeter-cert", nor who would make it/,
  },
  {
    what: "a file that nothing mounts",
    file: "components/tls/kustomization.yaml",
    from: "TLS_CLIENT_CA=/etc/gantry/tls/ca.crt",
    to: "TLS_CLIENT_CA=/etc/gantry/tls/ca.pem",
    shows: "components/tls",
    said: /ca\.pem is not in what is mounted there/,
  },
  {
    what: "a route to a port that a Service does not have",
    file: "components/gateway-api/routes.yaml",
    from: "{ name: math, port: 50052 }",
    to: "{ name: math, port: 50051 }",
    shows: "components/gateway-api",
    said: /GRPCRoute math: Service math has no port 50051/,
  },
  {
    what: "a field that kustomize does not know",
    file: "overlays/local/kustomization.yaml",
    from: "replicas:",
    to: "replica:",
    shows: "overlays/local",
    said: /unknown field "replica"/,
  },
];

for (const { what, file, from, to, shows, said } of PLANTED) {
  test(`${what} is found`, needsKubectl, async (t) => {
    const root = await mkdtemp(join(tmpdir(), "gantry-k8s-"));
    t.after(() => rm(root, { recursive: true }));
    const directory = join(root, "k8s");
    await cp(K8S, directory, { recursive: true });
    // The component `monitoring` takes rules and dashboards from there.
    for (const name of ["kustomization.yaml", "rules", "dashboards"]) {
      await cp(join(K8S, "../observability", name), join(root, "observability", name), { recursive: true });
    }
    const content = await readFile(join(directory, file), "utf8");
    assert.ok(content.includes(from), `${file} is not as this test expects it`);
    await writeFile(join(directory, file), content.replace(from, to));

    const isOverlay = shows.startsWith("overlays/");
    const { manifests, problems } = await (isOverlay
      ? render(KUBECTL, join(directory, shows))
      : renderComponent(KUBECTL, join(directory, "base"), join(directory, shows)));
    assert.match([...problems, ...problemsOf(clusterOf(manifests))].join("\n"), said);
  });
}
