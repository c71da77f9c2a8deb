import {
  type DescEnum,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** Finds what reflection is asked for in the files that declare some services, and in all that those import. */
export class DescriptorIndex {
  readonly #files = new Map<string, DescFile>();
  /** The file of each fully qualified name: messages, fields, enums, their values, services, methods, extensions. */
  readonly #symbols = new Map<string, DescFile>();
  readonly #messages = new Set<string>();
  /** By the type that is extended, then by number. */
  readonly #extensions = new Map<string, Map<number, DescFile>>();
  readonly #encoded = new Map<DescFile, Uint8Array>();

  constructor(files: Iterable<DescFile>) {
    for (const file of files) this.#add(file);
  }

  /** @param name as another file imports it: `greeter/v1/greeter.proto` */
  file(name: string): DescFile | undefined {
    return this.#files.get(name);
  }

  fileOfSymbol(name: string): DescFile | undefined {
    return this.#symbols.get(name);
  }

  fileOfExtension(extendee: string, number: number): DescFile | undefined {
    return this.#extensions.get(extendee)?.get(number);
  }

  /** The numbers by which a message is extended, or undefined where there is no such message. */
  extensionNumbers(extendee: string): number[] | undefined {
    if (!this.#messages.has(extendee)) return undefined;
    return [...(this.#extensions.get(extendee)?.keys() ?? [])];
  }

  /** The file as a binary FileDescriptorProto, with the options that the index itself does not know. */
  encode(file: DescFile): Uint8Array {
    let encoded = this.#encoded.get(file);
    if (!encoded) {
      encoded = toBinary(FileDescriptorProtoSchema, file.proto);
      this.#encoded.set(file, encoded);
    }
    return encoded;
  }

  #add(file: DescFile): void {
    if (this.#files.has(file.proto.name)) return;
    this.#files.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      for (const name of namesOf(type)) this.#symbols.set(name, file);
      if (type.kind === "message") this.#messages.add(type.typeName);
      if (type.kind === "extension") {
        const numbers = this.#extensions.get(type.extendee.typeName) ?? new Map<number, DescFile>();
        this.#extensions.set(type.extendee.typeName, numbers.set(type.number, file));
      }
    }
    for (const dependency of file.dependencies) this.#add(dependency);
  }
}

/** A type's own name, and the names of what is declared directly in it. */
function namesOf(type: DescMessage | DescEnum | DescExtension | DescService): string[] {
  const { typeName } = type;
  switch (type.kind) {
    case "message":
      return [typeName, ...[...type.fields, ...type.oneofs].map(({ name }) => `${typeName}.${name}`)];
    case "service":
      return [typeName, ...type.methods.map(({ name }) => `${typeName}.${name}`)];
    case "enum": {
      // As in C++, the values of an enum are siblings of it, not its children.
      const scope = typeName.slice(0, typeName.lastIndexOf(".") + 1);
      return [typeName, ...type.values.map(({ name }) => scope + name)];
    }
    case "extension":
      return [typeName];
  }
}
