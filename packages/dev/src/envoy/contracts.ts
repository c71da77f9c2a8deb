import {
  create,
  createFileRegistry,
  type DescFile,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** What the edge serves of the contracts. */
export interface EdgeContracts {
  readonly services: readonly EdgeService[];
  /** A `FileDescriptorSet` of these services and all that they refer to, for the transcoder. */
  readonly descriptors: Uint8Array;
}

export interface EdgeService {
  readonly desc: DescService;
  readonly methods: readonly DescMethod[];
  /** The worker that serves it: `greeter` serves what is in package `greeter.v1`. */
  readonly worker: string;
}

/** What every worker serves of itself, for its operators, and etcd's own. Nothing of it is reachable from outside. */
const INTERNAL = /^(gantry|grpc|etcdserverpb)\./;

/** What errors are made of, which no method names. */
const STATUS = "google/rpc/status.proto";
const DETAILS = "google/rpc/error_details.proto";

/**
 * @param image what `buf build` writes
 * @param workers names of the workers that stand behind the edge
 * @throws Error naming each service that none of the workers serves
 */
export function edgeContracts(image: Uint8Array, workers: readonly string[]): EdgeContracts {
  const set = fromBinary(FileDescriptorSetSchema, image);
  const registry = createFileRegistry(set);
  const services: EdgeService[] = [];
  const homeless: string[] = [];
  for (const file of registry.files) {
    for (const desc of file.services) {
      if (INTERNAL.test(desc.typeName)) continue;
      const worker = workers.find((name) => file.proto.package.split(".")[0] === name);
      if (worker === undefined) homeless.push(desc.typeName);
      else services.push({ desc, methods: desc.methods, worker });
    }
  }
  if (homeless.length > 0) {
    throw new Error(
      `No worker serves ${homeless.join(", ")}: expected packages that begin with one of ${workers.join(", ")}.`,
    );
  }
  services.sort((one, other) => (one.desc.typeName < other.desc.typeName ? -1 : 1));
  return { services, descriptors: descriptorsOf(set, registry, services) };
}

function descriptorsOf(
  { file: files }: FileDescriptorSet,
  registry: FileRegistry,
  services: readonly EdgeService[],
): Uint8Array {
  const wanted = new Set<string>();
  const want = ({ proto: { name }, dependencies }: DescFile) => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const dependency of dependencies) want(dependency);
  };
  for (const { desc } of services) want(desc.file);
  for (const path of [STATUS, DETAILS]) {
    const file = registry.getFile(path);
    if (!file) throw new Error(`There is no ${path}, which the answers of workers are made of.`);
    want(file);
  }
  const file = files.filter(({ name }) => wanted.has(name));
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}
