import assert from "node:assert/strict";
import {
  createFileRegistry,
  createRegistry,
  type DescFile,
  type DescMessage,
  type DescMethod,
  fromJson,
  type JsonObject,
} from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate } from "@gantry/proto/buf/validate/validate_pb.js";

const IMPORTS = [file_buf_validate_validate, file_google_protobuf_timestamp, file_google_protobuf_wrappers];

/** What a test declares: parts of `google.protobuf.FileDescriptorProto` in JSON. */
export interface ProtoFile {
  readonly messageType: JsonObject[];
  readonly enumType?: JsonObject[];
  /** Stand in a file of their own, which the other imports. */
  readonly extension?: JsonObject[];
}

/** The message type `test.Sample` of a proto3 file of the package `test`, made without a compiler. */
export function sampleType(declared: ProtoFile): DescMessage {
  return sampleMethod(declared).input;
}

/** A unary method that takes the message type `test.Sample`. */
export function sampleMethod({ extension, ...declared }: ProtoFile): DescMethod {
  const imports = extension ? [...IMPORTS, protoFile("test/rules.proto", { extension }, IMPORTS)] : IMPORTS;
  const take = { name: "Take", inputType: ".test.Sample", outputType: ".test.Sample" };
  const service = [{ name: "Samples", method: [take] }];
  const method = protoFile("test/sample.proto", { ...declared, service }, imports).services[0]?.methods[0];
  assert.ok(method, "the file declares a service with a method");
  return method;
}

function protoFile(name: string, declared: JsonObject, imports: readonly DescFile[]): DescFile {
  const dependency = imports.map(({ proto }) => proto.name);
  const json = { ...declared, name, package: "test", syntax: "proto3", dependency };
  const proto = fromJson(FileDescriptorProtoSchema, json, { registry: createRegistry(...imports) });
  const file = createFileRegistry(proto, (path) => imports.find((each) => each.proto.name === path)).getFile(
    name,
  );
  assert.ok(file, "the registry holds the file that it was made of");
  return file;
}

/** A field's declaration, with its rules as `buf.validate.FieldRules` in JSON. */
export function field(
  number: number,
  name: string,
  type: string,
  rules?: JsonObject,
  more?: JsonObject,
): JsonObject {
  return {
    name,
    number,
    label: "LABEL_OPTIONAL",
    ...(type.startsWith("test.") || type.startsWith("google.")
      ? { type: "TYPE_MESSAGE", typeName: `.${type}` }
      : { type: `TYPE_${type.toUpperCase()}` }),
    ...(rules && { options: { "[buf.validate.field]": rules } }),
    ...more,
  };
}

export const repeated: JsonObject = { label: "LABEL_REPEATED" };
