import type { DescMethod } from "@bufbuild/protobuf";

/** The kinds of call, as protobuf-es names them. */
export type MethodKind = DescMethod["methodKind"];

/** `greeter.v1.Greeter/SayHello`: how policy files, errors and documents name a method. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** `/greeter.v1.Greeter/SayHello`: how the wire names it. */
export function methodPath(method: DescMethod): string {
  return `/${methodName(method)}`;
}
