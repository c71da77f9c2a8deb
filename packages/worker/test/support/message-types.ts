import {
  createFileRegistry,
  createRegistry,
  type DescMessage,
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

/** What a test declares: the JSON form of `google.protobuf.FileDescriptorProto`. */
export interface ProtoFile {
  readonly messageType: JsonObject[];
  readonly enumType?: JsonObject[];
  readonly extension?: JsonObject[];
}

/** The message type `test.Sample` of a proto3 file of the package `test`, made without a compiler. */
export function sampleType(file: ProtoFile): DescMessage {
  const json = {
    ...file,
    name: "test/sample.proto",
    package: "test",
    syntax: "proto3",
    dependency: IMPORTS.map(({ proto }) => proto.name),
  };
  const proto = fromJson(FileDescriptorProtoSchema, json, { registry: createRegistry(...IMPORTS) });
  const registry = createFileRegistry(proto, (name) => IMPORTS.find((file) => file.proto.name === name));
  const type = registry.getMessage("test.Sample");
  if (!type) throw new Error("The file declares no message Sample.");
  return type;
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
