import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  createFileRegistry,
  type DescFile,
  type DescMethod,
  type DescService,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const CONTRACTS = "packages/worker/test/contracts";

/** A contract of the tests' own, compiled when they run. @param name as `kitchen.proto` */
export function contract(name: string) {
  const buf = fileURLToPath(import.meta.resolve("@bufbuild/buf/bin/buf"));
  const config = { version: "v2", modules: [{ path: CONTRACTS }, { path: "proto/vendor" }] };
  const path = `${CONTRACTS}/${name}`;
  const args = [
    buf,
    "build",
    ".",
    "--config",
    JSON.stringify(config),
    "--path",
    path,
    "-o",
    "-#format=binpb",
  ];
  const bytes = execFileSync(process.execPath, args, { cwd: ROOT });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  const found = <T>(descriptor: T | undefined): T => {
    if (descriptor === undefined) throw new Error(`${path} has lost a part that tests use.`);
    return descriptor;
  };
  return {
    /** Where the contract stands, for programs that read protos. */
    path: `${ROOT}${path}`,
    message: (typeName: string) => found(registry.getMessage(typeName)),
    service: (typeName: string) => found(registry.getService(typeName)),
    file: (): DescFile => found(registry.getFile(name)),
  };
}

export function methodOf({ typeName, methods }: DescService, name: string): DescMethod {
  const method = methods.find((one) => one.name === name);
  if (!method) throw new Error(`${typeName} has no method ${name}.`);
  return method;
}
