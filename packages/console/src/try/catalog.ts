import { createFileRegistry, type DescMethod, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { WorkerEntry } from "../api.ts";

/** A method of a worker. */
export interface CatalogMethod {
  readonly worker: string;
  readonly target: string;
  /** `greeter.v1.Greeter/SayHello` */
  readonly name: string;
  readonly desc: DescMethod;
}

export interface CatalogWorker {
  readonly name: string;
  readonly target: string;
  readonly methods: readonly CatalogMethod[];
  /** Why its methods are not known. */
  readonly problem: string | undefined;
}

export interface Catalog {
  readonly workers: readonly CatalogWorker[];
}

/**
 * What the workers say that they serve. What the runtime itself serves comes last.
 *
 * @param before what was known: a worker that is away keeps its methods, so that what is being edited stays
 */
export function readCatalog(entries: readonly WorkerEntry[], before: Catalog | undefined): Catalog {
  return {
    workers: entries.map(({ name, target, services, files, problem }) => {
      const known = before?.workers.find((worker) => worker.name === name);
      const methods = problem === undefined ? readMethods({ name, target, services, files }) : known?.methods;
      return { name, target, methods: methods ?? [], problem };
    }),
  };
}

function readMethods({ name, target, services, files }: WorkerEntry): CatalogMethod[] {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, new Uint8Array(files)));
  const ordered = services.toSorted((a, b) => Number(isRuntimes(a)) - Number(isRuntimes(b)));
  return ordered.flatMap((service) =>
    (registry.getService(service)?.methods ?? []).map((desc) => ({
      worker: name,
      target,
      name: `${service}/${desc.name}`,
      desc,
    })),
  );
}

export function isRuntimes(service: string): boolean {
  return /^(grpc|gantry)\./.test(service);
}

export function findMethod(catalog: Catalog, worker: string, name: string): CatalogMethod | undefined {
  return catalog.workers.find((each) => each.name === worker)?.methods.find((method) => method.name === name);
}

export const KINDS = {
  unary: "unary",
  server_streaming: "server stream",
  client_streaming: "client stream",
  bidi_streaming: "bidi stream",
} as const;

export function streamsRequests({ desc }: CatalogMethod): boolean {
  return desc.methodKind === "client_streaming" || desc.methodKind === "bidi_streaming";
}
