/** The manifests of each variant, as they are and with errors planted that a cluster refuses. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { variantsOf } from "../../packages/dev/src/checks/manifests/check-manifests.ts";
import type { Fields } from "../../packages/dev/src/checks/manifests/fields.ts";
import { KUBECTL } from "./kubernetes.ts";
import { ROOT } from "./worker-process.ts";

export const K8S = join(ROOT, "k8s");

/** `overlays/local`, `components/keda`, … */
export const VARIANTS = variantsOf(K8S).map(({ name }) => name);

export async function rendered(name: string): Promise<readonly Fields[]> {
  const variant = variantsOf(K8S).find((each) => each.name === name);
  const { manifests = [] } = (await variant?.render(KUBECTL)) ?? {};
  assert.notEqual(manifests.length, 0);
  return manifests.map(({ content }) => content);
}

export interface Planted {
  readonly what: string;
  /** In which of VARIANTS. */
  readonly variant: string;
  /** What is changed in its JSON, the first time that it is there. */
  readonly from: string;
  readonly to: string;
  /** What the API server says of it. */
  readonly said: RegExp;
}

/** The objects of a variant with the error in one of them. */
export async function planted({ variant, from, to }: Planted): Promise<Fields[]> {
  const text = JSON.stringify(await rendered(variant));
  assert.ok(text.includes(from), `${from} is not there`);
  return JSON.parse(text.replace(from, to));
}

export const PLANTED: readonly Planted[] = [
  {
    what: "an unknown field of a pod",
    variant: "overlays/local",
    from: '"topologyKey"',
    to: '"topologyKeys"',
    said: /unknown field .*topologyKeys/,
  },
  {
    what: "an unknown field of a container",
    variant: "overlays/local",
    from: '"readOnlyRootFilesystem"',
    to: '"readOnlyRootFileSystem"',
    said: /unknown field .*readOnlyRootFileSystem/,
  },
  {
    what: "an unknown field of an object's metadata",
    variant: "overlays/local",
    from: '"labels"',
    to: '"label"',
    said: /unknown field .*metadata\.label"/,
  },
  {
    what: "a wrong type",
    variant: "overlays/local",
    from: '"replicas":1',
    to: '"replicas":"1"',
    said: /expected|cannot convert|json: cannot unmarshal/i,
  },
  {
    what: "a value that is none of a field's",
    variant: "overlays/local",
    from: '"whenUnsatisfiable":"ScheduleAnyway"',
    to: '"whenUnsatisfiable":"Anyhow"',
    said: /Unsupported value: "Anyhow"/,
  },
  {
    what: "a container without an image",
    variant: "overlays/local",
    from: '"image":"gantry/gateway:0.1.0",',
    to: "",
    said: /spec\.template\.spec\.containers\[0\]\.image: Required value/,
  },
  {
    what: "an autoscaler without a name to scale",
    variant: "components/autoscaling",
    from: '"kind":"Deployment","name":"greeter"',
    to: '"kind":"Deployment"',
    said: /spec\.scaleTargetRef\.name: Required value/,
  },
  {
    what: "a port of a NetworkPolicy beyond all ports",
    variant: "overlays/local",
    from: '{"port":53,',
    to: '{"port":70053,',
    said: /spec\.egress\[0\]\.ports\[0\]\.port: Invalid value: 70053: must be between 1 and 65535/,
  },
  {
    what: "a kind that there is not",
    variant: "components/keda",
    from: '"kind":"ScaledObject"',
    to: '"kind":"ScalingObject"',
    said: /no definition has kind ScalingObject|no matches for kind "ScalingObject"/,
  },
  {
    what: "more than the restricted level gives",
    variant: "overlays/local",
    from: '"allowPrivilegeEscalation":false',
    to: '"allowPrivilegeEscalation":true',
    said: /would violate PodSecurity "restricted:latest"/,
  },
  {
    what: "an unknown field of a custom resource",
    variant: "components/keda",
    from: '"pollingInterval"',
    to: '"pollInterval"',
    said: /unknown field "spec\.pollInterval"/,
  },
  {
    what: "a wrong type in a custom resource",
    variant: "components/keda",
    from: '"maxReplicaCount":20',
    to: '"maxReplicaCount":"20"',
    said: /must be of type integer|expected (numeric|int)/,
  },
  {
    what: "a custom resource without what it needs",
    variant: "components/gateway-api",
    from: '"gatewayClassName":"eg",',
    to: "",
    said: /gatewayClassName: Required value/,
  },
  {
    what: "a value that is none of a custom resource's field",
    variant: "components/gateway-api",
    from: '"type":"PathPrefix"',
    to: '"type":"Prefix"',
    said: /Unsupported value: "Prefix"/,
  },
  {
    what: "a custom resource that breaks a rule of its definition",
    variant: "components/gateway-api",
    from: '"type":"PathPrefix","value":"/api/"',
    to: '"type":"PathPrefix","value":"api/"',
    said: /value must be an absolute path and start with '\/'/,
  },
];
