import { type DescField, type Message, ScalarType } from "@bufbuild/protobuf";

/** Reads a field from a message that has it set. */
export function reader({ localName, oneof }: DescField): (message: Message) => unknown {
  if (!oneof) return (message) => property(message, localName);
  return (message) => {
    // protobuf-es keeps all fields of a oneof in one property, as `{ case, value }`.
    const { value } = property(message, oneof.localName) as { readonly value?: unknown };
    return value;
  };
}

/** Which field of a oneof is set; undefined: none. */
export function oneofCase(message: Message, localName: string): string | undefined {
  const { case: name } = property(message, localName) as { readonly case: string | undefined };
  return name;
}

function property(message: Message, localName: string): unknown {
  // A generated type has no index signature; the name comes from the message's own descriptor.
  return (message as Message & Readonly<Record<string, unknown>>)[localName];
}

/** Tells the items or values of a field that are what they would be if nobody had said anything. */
export function zeroOf({ enum: descEnum, message }: DescField): (value: unknown) => boolean {
  if (message) return () => false;
  if (!descEnum) return isZeroScalar;
  const zero = descEnum.values[0]?.number;
  return (value) => value === zero;
}

export function isZeroScalar(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === 0 || value === 0n || value === "" || value === false;
}

/** JavaScript's objects have only text for keys; this gives a map's key back its own type. */
export function mapKeyReader(mapKey: ScalarType): (key: string) => unknown {
  switch (mapKey) {
    case ScalarType.STRING:
      return (key) => key;
    case ScalarType.BOOL:
      return (key) => key === "true";
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return BigInt;
    default:
      return Number;
  }
}
