import { create, createFileRegistry, type FileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { type Channel, createClient } from "@gantry/client";
import { ServerReflection } from "@gantry/proto/grpc/reflection/v1/reflection_pb.js";
import { Code, type Metadata, RpcError } from "@gantry/rpc";

/** What a worker says that it serves. */
export interface Reflected {
  /** The full names of its services. */
  readonly services: readonly string[];
  readonly registry: FileRegistry;
  /** A `google.protobuf.FileDescriptorSet`, each file behind those that it imports. */
  readonly files: Uint8Array;
}

const TIMEOUT_MS = 5_000;

/** Asks a worker by gRPC's server reflection. @throws RpcError where it does not answer, or says no */
export async function reflect(channel: Channel, headers: Metadata): Promise<Reflected> {
  const client = createClient(ServerReflection, channel);
  const options = { headers, timeoutMs: TIMEOUT_MS };
  const ask = async (questions: readonly Question[]) => {
    const requests = questions.map((messageRequest) => ({ messageRequest }));
    return Array.fromAsync(
      client.serverReflectionInfo(requests, options),
      ({ messageResponse }) => messageResponse,
    );
  };
  const [list] = await ask([{ case: "listServices", value: "" }]);
  if (list?.case !== "listServicesResponse") throw unexpected(list);
  const services = list.value.service.map(({ name }) => name);

  const files = new Map<string, FileDescriptorProto>();
  for (const answer of await ask(services.map((value) => ({ case: "fileContainingSymbol", value })))) {
    if (answer.case !== "fileDescriptorResponse") throw unexpected(answer);
    for (const bytes of answer.value.fileDescriptorProto) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      files.set(file.name, file);
    }
  }
  const set = create(FileDescriptorSetSchema, { file: inOrder(files) });
  return { services, registry: createFileRegistry(set), files: toBinary(FileDescriptorSetSchema, set) };
}

type Question =
  | { readonly case: "listServices"; readonly value: string }
  | { readonly case: "fileContainingSymbol"; readonly value: string };

function unexpected(answer: { case: string | undefined; value?: unknown } | undefined): RpcError {
  const said = answer?.case === "errorResponse" ? JSON.stringify(answer.value) : String(answer?.case);
  return new RpcError(Code.Internal, `The worker's reflection answered ${said}.`);
}

/** Each file behind those that it imports. */
function inOrder(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Set<FileDescriptorProto>();
  const add = (name: string) => {
    const file = files.get(name);
    if (!file || ordered.has(file)) return;
    file.dependency.forEach(add);
    ordered.add(file);
  };
  for (const name of files.keys()) add(name);
  return [...ordered];
}
