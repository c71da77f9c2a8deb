import {
  create,
  createFileRegistry,
  type DescMethod,
  fromJson,
  type JsonValue,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_duration,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { type Policy, policy as policyOption } from "@gantry/proto/gantry/v1/policy_pb.js";

const OPTIONAL = "LABEL_OPTIONAL";
const REPEATED = "LABEL_REPEATED";

/** A contract with every kind of field, for tests of what works along descriptors. */
const SHOP: JsonValue = {
  name: "shop.proto",
  package: "shop",
  syntax: "proto3",
  dependency: [
    "google/protobuf/duration.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
  ],
  enumType: [
    {
      name: "Colour",
      value: [
        { name: "NONE", number: 0 },
        { name: "RED", number: 3 },
      ],
    },
  ],
  messageType: [
    {
      name: "Person",
      field: [
        { name: "first_name", jsonName: "firstName", number: 1, label: OPTIONAL, type: "TYPE_STRING" },
        { name: "parent", number: 2, label: OPTIONAL, type: "TYPE_MESSAGE", typeName: ".shop.Person" },
      ],
    },
    {
      name: "Order",
      field: [
        { name: "name", number: 1, label: OPTIONAL, type: "TYPE_STRING" },
        { name: "amount", number: 2, label: OPTIONAL, type: "TYPE_INT64" },
        { name: "colour", number: 3, label: OPTIONAL, type: "TYPE_ENUM", typeName: ".shop.Colour" },
        { name: "seal", number: 4, label: OPTIONAL, type: "TYPE_BYTES" },
        { name: "tags", number: 5, label: REPEATED, type: "TYPE_STRING" },
        {
          name: "notes",
          number: 6,
          label: REPEATED,
          type: "TYPE_MESSAGE",
          typeName: ".shop.Order.NotesEntry",
        },
        { name: "buyer", number: 7, label: OPTIONAL, type: "TYPE_MESSAGE", typeName: ".shop.Person" },
        {
          name: "user_id",
          jsonName: "userId",
          number: 8,
          label: OPTIONAL,
          type: "TYPE_UINT32",
          oneofIndex: 0,
        },
        {
          name: "guest",
          number: 9,
          label: OPTIONAL,
          type: "TYPE_MESSAGE",
          typeName: ".shop.Person",
          oneofIndex: 0,
        },
        {
          name: "nickname",
          number: 10,
          label: OPTIONAL,
          type: "TYPE_MESSAGE",
          typeName: ".google.protobuf.StringValue",
        },
        { name: "express", number: 11, label: OPTIONAL, type: "TYPE_BOOL" },
        { name: "weight", number: 12, label: OPTIONAL, type: "TYPE_DOUBLE" },
        {
          name: "wait",
          number: 13,
          label: OPTIONAL,
          type: "TYPE_MESSAGE",
          typeName: ".google.protobuf.Duration",
        },
        {
          name: "due",
          number: 14,
          label: OPTIONAL,
          type: "TYPE_MESSAGE",
          typeName: ".google.protobuf.Timestamp",
        },
        { name: "others", number: 15, label: REPEATED, type: "TYPE_MESSAGE", typeName: ".shop.Person" },
        {
          name: "by_floor",
          jsonName: "byFloor",
          number: 16,
          label: REPEATED,
          type: "TYPE_MESSAGE",
          typeName: ".shop.Order.ByFloorEntry",
        },
        {
          name: "mark",
          number: 17,
          label: OPTIONAL,
          type: "TYPE_MESSAGE",
          typeName: ".google.protobuf.Int64Value",
          oneofIndex: 0,
        },
      ],
      oneofDecl: [{ name: "who_asks" }],
      nestedType: [
        {
          name: "NotesEntry",
          options: { mapEntry: true },
          field: [
            { name: "key", number: 1, label: OPTIONAL, type: "TYPE_STRING" },
            { name: "value", number: 2, label: OPTIONAL, type: "TYPE_STRING" },
          ],
        },
        {
          name: "ByFloorEntry",
          options: { mapEntry: true },
          field: [
            { name: "key", number: 1, label: OPTIONAL, type: "TYPE_INT32" },
            { name: "value", number: 2, label: OPTIONAL, type: "TYPE_MESSAGE", typeName: ".shop.Person" },
          ],
        },
      ],
    },
    { name: "Empty" },
  ],
  service: [
    {
      name: "Shop",
      method: [
        { name: "Buy", inputType: ".shop.Order", outputType: ".shop.Empty" },
        { name: "BuyMany", inputType: ".shop.Order", outputType: ".shop.Empty", clientStreaming: true },
        { name: "Ping", inputType: ".shop.Empty", outputType: ".shop.Empty" },
      ],
    },
  ],
};

const DEPENDENCIES = [
  file_google_protobuf_duration,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
];

/** The shop's contract. @param policies what it declares, by method */
export function shop(policies: Record<string, Policy> = {}) {
  const file = fromJson(FileDescriptorProtoSchema, SHOP);
  for (const method of file.service.flatMap((service) => service.method)) {
    const policy = policies[method.name];
    if (!policy) continue;
    method.options = create(MethodOptionsSchema);
    setExtension(method.options, policyOption, policy);
  }
  // Compilers of protos always say the JSON name; above, only where it differs.
  for (const field of file.messageType.flatMap((message) => message.field)) field.jsonName ||= field.name;
  const registry = createFileRegistry(file, (name) => DEPENDENCIES.find(({ proto }) => proto.name === name));
  const order = registry.getMessage("shop.Order");
  const service = registry.getService("shop.Shop");
  if (!order || !service) throw new TypeError("The shop's contract has lost its parts.");
  const method = (name: string): DescMethod => {
    const found = service.methods.find((one) => one.name === name);
    if (!found) throw new TypeError(`The shop has no method ${name}.`);
    return found;
  };
  return { order, service, method };
}
