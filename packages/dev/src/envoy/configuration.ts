/**
 * Envoy's configuration: the YAML of this folder, which is written by hand, with what the contracts say filled in
 * where it has `$names`: routes with timeouts and retries, the transcoder's services, a cluster for each worker.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isMap, isSeq, parseDocument, visit } from "yaml";
import { edgeContracts } from "./contracts.ts";
import { localReplies } from "./local-replies.ts";
import { routesOf } from "./routes.ts";

/** A worker that Envoy sends calls to. */
export interface Upstream {
  readonly name: string;
  readonly port: number;
  /** `gRPC`: methods of its own. `HTTP`: pages, whose routes edge.yaml has. */
  readonly protocol: string;
}

const HEADER = ` Generated from packages/dev/src/envoy/edge.yaml and the policy of the contracts: npm run generate.
`;

/**
 * The files that Envoy reads, by their names in k8s/base/envoy.
 *
 * @param image what `buf build` writes
 * @throws Error where the contracts ask for what Envoy cannot do, or have a service that no worker serves
 */
export function envoyFiles(image: Uint8Array, workers: readonly Upstream[]): Map<string, Buffer> {
  const { services, descriptors } = edgeContracts(
    image,
    workers.filter(({ protocol }) => protocol === "gRPC").map(({ name }) => name),
  );
  const edge = filled("edge.yaml", {
    $local_replies: localReplies(),
    $services: services.map(({ desc }) => desc.typeName),
    $methods: services.map(({ desc, methods }) => ({
      name: desc.typeName,
      method_names: methods.map(({ name }) => name),
    })),
    $routes: services.flatMap(routesOf),
    $workers: workers.map(clusterOf),
  });
  edge.commentBefore = `${HEADER}${edge.commentBefore ?? ""}`;
  return new Map([
    ["envoy.yaml", Buffer.from(edge.toString({ lineWidth: 0 }))],
    ["descriptors.pb", Buffer.from(descriptors)],
  ]);
}

function clusterOf({ name, port, protocol }: Upstream): Document["contents"] {
  const host = `${name}.gantry.svc.cluster.local`;
  const isHttp = protocol === "HTTP";
  const alpn = isHttp ? "http/1.1" : "h2";
  const cluster = filled("worker.yaml", { $name: name, $host: host, $port: port, $alpn: alpn });
  const { contents } = filled("http-worker.yaml", {});
  if (!isHttp || !isMap(contents)) return cluster.contents;
  for (const pair of contents.items) {
    cluster.delete(pair.key);
    cluster.add(pair);
  }
  return cluster.contents;
}

/** A file of this folder with values in the place of its names. A list in a list is spread into it. */
function filled(file: string, values: Readonly<Record<string, unknown>>): Document {
  const document = parseDocument(readFileSync(join(import.meta.dirname, file), "utf8"));
  visit(document, {
    Scalar(key, { value: name }, path) {
      if (typeof name !== "string" || !Object.hasOwn(values, name)) return undefined;
      const value = values[name];
      const parent = path.at(-1);
      if (!isSeq(parent) || !Array.isArray(value)) return document.createNode(value);
      parent.items.splice(Number(key), 1, ...value.map((item) => document.createNode(item)));
      return Number(key) + value.length;
    },
  });
  return document;
}
