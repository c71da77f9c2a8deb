// A plugin of buf: gathers the comments of our contracts into one module, by the full names of what they stand
// beside. Descriptors at run time hold none, and `/openapi.json` tells them to people.
//
// A comment that stands behind what it is of, on the same line, is not gathered.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
} from "@bufbuild/protobuf/wkt";

/** Contracts of other people, which no document of ours tells. */
const FOREIGN = /^(buf|google|grpc)\//;

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { protoFile, fileToGenerate } = fromBinary(CodeGeneratorRequestSchema, Buffer.concat(chunks));

/** @type {Record<string, string>} */
const comments = {};
for (const file of protoFile) {
  if (!fileToGenerate.includes(file.name) || FOREIGN.test(file.name)) continue;
  const names = namesIn(file);
  for (const { path, leadingComments } of file.sourceCodeInfo?.location ?? []) {
    const name = names.get(path.join("."));
    const text = textOf(leadingComments);
    if (name !== undefined && text !== "") comments[name] = text;
  }
}

const sorted = Object.fromEntries(Object.entries(comments).sort(([one], [other]) => (one < other ? -1 : 1)));
const content = `export const comments = ${JSON.stringify(sorted, undefined, 2)};\n`;
const declaration = "export declare const comments: Readonly<Record<string, string>>;\n";
const response = create(CodeGeneratorResponseSchema, {
  supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
  file: [
    { name: "comments.js", content },
    { name: "comments.d.ts", content: declaration },
  ],
});
process.stdout.write(toBinary(CodeGeneratorResponseSchema, response));

/**
 * The full names of what a file declares, by their paths: field numbers and indexes in its descriptor.
 *
 * @param {import("@bufbuild/protobuf/wkt").FileDescriptorProto} file
 */
function namesIn(file) {
  /** @type {Map<string, string>} */
  const names = new Map();
  /** @param {readonly { name: string }[]} parts @param {string} path @param {string} scope */
  const add = (parts, path, scope) => {
    for (const [index, { name }] of parts.entries()) names.set(`${path}${index}`, `${scope}.${name}`);
  };
  /** @param {readonly import("@bufbuild/protobuf/wkt").EnumDescriptorProto[]} enums @param {string} path @param {string} scope */
  const addEnums = (enums, path, scope) => {
    add(enums, path, scope);
    for (const [index, { name, value }] of enums.entries())
      add(value, `${path}${index}.2.`, `${scope}.${name}`);
  };
  /** @param {readonly import("@bufbuild/protobuf/wkt").DescriptorProto[]} messages @param {string} path @param {string} scope */
  const addMessages = (messages, path, scope) => {
    add(messages, path, scope);
    for (const [index, { name, field, nestedType, enumType, oneofDecl }] of messages.entries()) {
      const [own, inner] = [`${path}${index}`, `${scope}.${name}`];
      add(field, `${own}.2.`, inner);
      add(oneofDecl, `${own}.8.`, inner);
      addMessages(nestedType, `${own}.3.`, inner);
      addEnums(enumType, `${own}.4.`, inner);
    }
  };
  addMessages(file.messageType, "4.", file.package);
  addEnums(file.enumType, "5.", file.package);
  add(file.service, "6.", file.package);
  for (const [index, { name, method }] of file.service.entries()) {
    add(method, `6.${index}.2.`, `${file.package}.${name}`);
  }
  return names;
}

/**
 * Lines without the space that each begins with, and without what is for the linter.
 *
 * @param {string} comment
 */
function textOf(comment) {
  return comment
    .split("\n")
    .map((line) => line.replace(/^ /, "").trimEnd())
    .filter((line) => !line.startsWith("buf:lint:"))
    .join("\n")
    .trim();
}
