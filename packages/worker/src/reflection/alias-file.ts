import { clone, create, createFileRegistry, type DescFile, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, ServiceDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/**
 * The file that would declare a service under another name: `pb.Greeter` for `greeter.v1.Greeter`.
 * Its methods take the messages of the service's own file, so that tools which call by reflection
 * can call an alias.
 */
export function aliasFile(service: DescService, alias: string): DescFile {
  const original = service.file;
  const dot = alias.lastIndexOf(".");
  const declaration = clone(ServiceDescriptorProtoSchema, service.proto);
  declaration.name = alias.slice(dot + 1);
  const proto = create(FileDescriptorProtoSchema, {
    name: `gantry/alias/${alias}.proto`,
    package: alias.slice(0, Math.max(dot, 0)),
    // Its own imports too: they declare the options that the methods carry.
    dependency: [original.proto.name, ...original.proto.dependency],
    service: [declaration],
    syntax: original.proto.syntax,
    edition: original.proto.edition,
  });
  const imports = new Map([original, ...original.dependencies].map((file) => [file.proto.name, file]));
  const file = createFileRegistry(proto, (name) => imports.get(name)).getFile(proto.name);
  if (!file)
    throw new Error(`The file of alias "${alias}" was not found in the registry that was made of it.`);
  return file;
}
