import { type DescMessage, fromJson, type JsonValue, ScalarType, toJson } from "@bufbuild/protobuf";
import {
  BytesValueSchema,
  DoubleValueSchema,
  DurationSchema,
  FieldMaskSchema,
  Int64ValueSchema,
  TimestampSchema,
  UInt32ValueSchema,
  UInt64ValueSchema,
} from "@bufbuild/protobuf/wkt";
import {
  GraphQLBoolean,
  GraphQLError,
  GraphQLInt,
  GraphQLScalarType,
  GraphQLString,
  Kind,
  type ValueNode,
  valueFromASTUntyped,
} from "graphql";

/**
 * A scalar whose values are what protobuf's JSON has for a well-known type, and are checked as that.
 *
 * @param schema the type by which values are read
 */
function scalar(name: string, description: string, schema: DescMessage): GraphQLScalarType {
  const read = (value: unknown, node?: ValueNode) => {
    if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) && !isDouble) {
      throw refused(`${name} ${value} lost digits on its way: expected it as text`, node);
    }
    try {
      // What is no JSON, such as undefined, fromJson refuses.
      return toJson(schema, fromJson(schema, value as JsonValue));
    } catch {
      throw refused(`${name} cannot be ${JSON.stringify(value)?.slice(0, 100)}: ${description}`, node);
    }
  };
  const isDouble = schema === DoubleValueSchema;
  // A number is taken as it was written: as one of JavaScript's it might have lost digits.
  const readLiteral = (node: ValueNode) =>
    read(node.kind === Kind.INT && !isDouble ? node.value : valueFromASTUntyped(node), node);
  return new GraphQLScalarType({
    name,
    description,
    parseValue: read,
    parseLiteral: readLiteral,
    coerceInputValue: read,
    coerceInputLiteral: readLiteral,
  });
}

function refused(message: string, node: ValueNode | undefined): GraphQLError {
  return new GraphQLError(`${message}.`, node ? { nodes: [node] } : {});
}

const int64 = scalar(
  "Int64",
  "a whole number from -9223372036854775808 to 9223372036854775807; answers have it as text",
  Int64ValueSchema,
);
const uint64 = scalar(
  "UInt64",
  "a whole number from 0 to 18446744073709551615; answers have it as text",
  UInt64ValueSchema,
);
const uint32 = scalar("UInt32", "a whole number from 0 to 4294967295", UInt32ValueSchema);
/** Float of GraphQL knows no infinity. */
const double = scalar("Double", 'a number, or one of "NaN", "Infinity" and "-Infinity"', DoubleValueSchema);
const bytes = scalar("Bytes", "bytes as base64", BytesValueSchema);
const timestamp = scalar("Timestamp", "a point in time, as 2026-01-31T12:00:00.5Z", TimestampSchema);
const duration = scalar("Duration", "a span of time in seconds, as 1.5s", DurationSchema);
const fieldMask = scalar("FieldMask", "names of fields with commas in between", FieldMaskSchema);
const json = new GraphQLScalarType({ name: "JSON", description: "any JSON" });

/** The scalars beside GraphQL's own. */
export const SCALARS = [int64, uint64, uint32, double, bytes, timestamp, duration, fieldMask, json] as const;

export function scalarOf(type: ScalarType): GraphQLScalarType {
  switch (type) {
    case ScalarType.BOOL:
      return GraphQLBoolean;
    case ScalarType.STRING:
      return GraphQLString;
    case ScalarType.BYTES:
      return bytes;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return double;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return GraphQLInt;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return uint32;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return int64;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return uint64;
  }
}

/** Well-known types that protobuf's JSON does not show as objects. Wrappers are what they wrap. */
const WELL_KNOWN: Readonly<Record<string, GraphQLScalarType>> = {
  "google.protobuf.Timestamp": timestamp,
  "google.protobuf.Duration": duration,
  "google.protobuf.FieldMask": fieldMask,
  "google.protobuf.Struct": json,
  "google.protobuf.Value": json,
  "google.protobuf.ListValue": json,
  "google.protobuf.Any": json,
  "google.protobuf.BoolValue": GraphQLBoolean,
  "google.protobuf.StringValue": GraphQLString,
  "google.protobuf.BytesValue": bytes,
  "google.protobuf.DoubleValue": double,
  "google.protobuf.FloatValue": double,
  "google.protobuf.Int32Value": GraphQLInt,
  "google.protobuf.UInt32Value": uint32,
  "google.protobuf.Int64Value": int64,
  "google.protobuf.UInt64Value": uint64,
};

/** The scalar that stands for a whole message; undefined where the message is an object. */
export function scalarOfMessage({ typeName }: DescMessage): GraphQLScalarType | undefined {
  return Object.hasOwn(WELL_KNOWN, typeName) ? WELL_KNOWN[typeName] : undefined;
}
