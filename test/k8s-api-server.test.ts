import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { variantsOf } from "../packages/dev/src/checks/manifests/check-manifests.ts";
import type { Fields } from "../packages/dev/src/checks/manifests/fields.ts";
import { type ApiServer, KUBECTL, requireApiServer, startApiServer } from "./support/kubernetes.ts";
import { ROOT } from "./support/worker-process.ts";

const K8S = join(ROOT, "k8s");
/** Said of every headless Service, of which there is no other way to write one. */
const HEADLESS = "Warning: spec.SessionAffinity is ignored for headless services";

describe("a real API server", requireApiServer(), () => {
  let server: ApiServer;

  /** What it says of manifests, by strict validation: errors and warnings. */
  async function saidOf(documents: readonly Fields[]): Promise<string[]> {
    const strictly = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
    const { stderr } = await server.kubectl(strictly, documents.map((each) => stringify(each)).join("---\n"));
    return stderr.split("\n").filter((line) => line !== "" && line !== HEADLESS);
  }

  async function rendered(name: string): Promise<readonly Fields[]> {
    const variant = variantsOf(K8S).find((each) => each.name === name);
    const { manifests = [] } = (await variant?.render(KUBECTL)) ?? {};
    assert.notEqual(manifests.length, 0);
    return manifests.map(({ content }) => content);
  }

  before(async () => {
    server = await startApiServer();
    // With its labels, so that pods are held to the restricted level.
    const namespace = await server.kubectl(["apply", "-f", join(K8S, "base/namespace.yaml")]);
    assert.equal(namespace.code, 0, namespace.stderr);
  });
  after(() => server[Symbol.asyncDispose]());

  for (const { name } of variantsOf(K8S)) {
    test(`takes ${name} as it is, pods within the restricted level`, async () => {
      assert.deepEqual(await saidOf(await rendered(name)), []);
    });
  }

  for (const overlay of ["local", "production", "serverless"]) {
    test(`kubectl apply -k k8s/overlays/${overlay} --dry-run=client accepts it`, async () => {
      const dryRun = ["apply", "-k", join(K8S, "overlays", overlay), "--dry-run=client"];
      const { code, stderr } = await server.kubectl(dryRun);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    });
  }

  /** The same objects, one of them with another text in the place of one that it has. */
  function planted(documents: readonly Fields[], from: string, to: string): Fields[] {
    const text = JSON.stringify(documents);
    assert.ok(text.includes(from), `${from} is not there`);
    return JSON.parse(text.replace(from, to));
  }

  const WRONG = [
    [
      "an unknown field of a pod",
      "overlays/local",
      '"topologyKey"',
      '"topologyKeys"',
      /unknown field .*topologyKeys/,
    ],
    [
      "an unknown field of a container",
      "overlays/local",
      '"readOnlyRootFilesystem"',
      '"readOnlyRootFileSystem"',
      /unknown field/,
    ],
    [
      "a wrong type",
      "overlays/local",
      '"replicas":1',
      '"replicas":"1"',
      /expected|cannot convert|json: cannot unmarshal/i,
    ],
    [
      "a value that is none of a field's",
      "overlays/local",
      '"whenUnsatisfiable":"ScheduleAnyway"',
      '"whenUnsatisfiable":"Anyhow"',
      /Unsupported value: "Anyhow"/,
    ],
    [
      "more than the restricted level gives",
      "overlays/local",
      '"allowPrivilegeEscalation":false',
      '"allowPrivilegeEscalation":true',
      /would violate PodSecurity "restricted:latest"/,
    ],
    [
      "an unknown field of a custom resource",
      "components/keda",
      '"pollingInterval"',
      '"pollInterval"',
      /field not declared in schema|unknown field/,
    ],
    [
      "a wrong type in a custom resource",
      "components/keda",
      '"maxReplicaCount":20',
      '"maxReplicaCount":"20"',
      /must be of type integer|expected (numeric|int)/,
    ],
    [
      "a custom resource without what it needs",
      "components/gateway-api",
      '"gatewayClassName":"eg",',
      "",
      /gatewayClassName: Required value/,
    ],
  ] as const;

  for (const [what, variant, from, to, expected] of WRONG) {
    test(`${what} is refused`, async () => {
      assert.match((await saidOf(planted(await rendered(variant), from, to))).join("\n"), expected);
    });
  }
});
