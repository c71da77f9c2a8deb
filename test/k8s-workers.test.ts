import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Cluster, clusterOf, type Pods } from "../packages/dev/src/checks/manifests/cluster.ts";
import { environmentOf } from "../packages/dev/src/checks/manifests/environment.ts";
import { get, labels, text } from "../packages/dev/src/checks/manifests/fields.ts";
import { render } from "../packages/dev/src/checks/manifests/kubectl.ts";
import { KUBECTL, needsKubectl } from "./support/kubernetes.ts";
import { connect, serviceOf } from "./support/plain-client.ts";
import { needsRedis, startRedis } from "./support/redis-server.ts";
import { ROOT, startWorker, type WorkerProcess } from "./support/worker-process.ts";

const HEALTH = serviceOf("grpc/health/v1/health.proto", "grpc.health.v1.Health");

/** The worker of a Deployment as its pods run it: its settings, and its policy in a file. */
async function workerOf(cluster: Cluster, pods: Pods, directory: string): Promise<WorkerProcess> {
  const [container = {}] = pods.containers;
  const policy = cluster.find("ConfigMap", text(get(pods.spec.volumes, "0", "configMap", "name")));
  const file = join(directory, "policy.yaml");
  await writeFile(file, labels(policy?.content.data)["policy.yaml"] ?? "methods: {}\n");
  return startWorker(pods.owner.name, {
    ...Object.fromEntries(environmentOf(cluster, container)),
    DRAIN_DELAY: "1s",
    POLICY_FILE: file,
  });
}

for (const name of ["greeter", "math", "gateway"]) {
  test(
    `${name} starts with the settings of its Deployment, and answers each of its probes`,
    needsKubectl,
    async (t) => {
      const directory = await mkdtemp(join(tmpdir(), "gantry-k8s-worker-"));
      t.after(() => rm(directory, { recursive: true }));
      const { manifests } = await render(KUBECTL, join(ROOT, "k8s/base"));
      const cluster = clusterOf(manifests);
      const pods = cluster.pods.find(({ owner }) => owner.name === name);
      assert.ok(pods);
      await using worker = await workerOf(cluster, pods, directory);
      using health = connect(worker.address, HEALTH);
      const probe = async (kind: string) => {
        const service = text(get(pods.containers[0], kind, "grpc", "service"));
        return (await health.call("Check", { service })).replies[0]?.status;
      };

      const probes = ["startupProbe", "readinessProbe", "livenessProbe"];
      assert.deepEqual(await Promise.all(probes.map(probe)), ["SERVING", "SERVING", "SERVING"]);
      worker.signal("SIGTERM");
      await worker.logged(({ msg }) => msg.includes("drain"));
      assert.deepEqual(await Promise.all(probes.map(probe)), ["NOT_SERVING", "NOT_SERVING", "SERVING"]);
    },
  );
}

test(
  "the quota store's own configuration lets a worker count, and nobody do anything else",
  needsRedis,
  async () => {
    const include = join(ROOT, "k8s/components/valkey/valkey.conf");
    await using redis = await startRedis({ settings: { include } });
    await using worker = await startWorker("greeter", {
      QUOTA_STORE: `redis://${redis.address}`,
      QUOTA_STORE_TIMEOUT: "2s",
    });
    using greeter = connect(worker.address, serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter"));

    const codes = await Promise.all(
      Array.from({ length: 61 }, async () => (await greeter.call("SayHello", { name: "七米" })).code),
    );
    assert.equal(codes.filter((code) => code === 0).length, 60);
    const metrics = await (await fetch(`${worker.admin}/metrics`)).text();
    assert.match(metrics, /^gantry_quota_store_up\S* 1$/m);
    assert.match(metrics, /^gantry_quota_store_fallbacks_total\S* 0$/m);
    assert.match(await redis.command("flushall"), /NOPERM/);
  },
);
