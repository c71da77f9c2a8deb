import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createFileRegistry, type DescService, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** A service of a contract beside the tests, compiled when they run. */
export function contract(file: string, service: string): DescService {
  const buf = fileURLToPath(import.meta.resolve("@bufbuild/buf/bin/buf"));
  const path = fileURLToPath(new URL(`../contracts/${file}`, import.meta.url));
  const bytes = execFileSync(process.execPath, [buf, "build", path, "-o", "-#format=binpb"]);
  const found = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes)).getService(service);
  if (!found) throw new Error(`${path} has lost ${service}, which tests use.`);
  return found;
}
