import assert from "node:assert/strict";
import {
  clone,
  create,
  type DescMethod,
  type JsonValue,
  type Message,
  type MessageInitShape,
  setExtension,
  toJson,
} from "@bufbuild/protobuf";
import { MethodDescriptorProtoSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import { http } from "@gantry/proto/google/api/annotations_pb.js";
import { HttpRuleSchema } from "@gantry/proto/google/api/http_pb.js";
import { BadRequestSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Code, RpcError } from "@gantry/rpc";
import { RestBindingError } from "../../src/transport/http/rest/binding-error.ts";
import { readRequest } from "../../src/transport/http/rest/request.ts";
import { createRestRouter, type RestMatch, type RestRouter } from "../../src/transport/http/rest/router.ts";

/** The message that a request comes to, as JSON without defaults. */
export function requestOf(router: RestRouter, httpMethod: string, url: string, body?: string): JsonValue {
  const [path = "", query = ""] = url.split("?");
  const { binding, captures } = found(router, httpMethod, path);
  const message = readRequest(binding, captures, query, body);
  return jsonOf(router, binding.method, message);
}

export function jsonOf(router: RestRouter, { input }: DescMethod, message: Message): JsonValue {
  return toJson(input, message, { registry: router.types() });
}

export function found(router: RestRouter, httpMethod: string, path: string) {
  const match = router.match(httpMethod, path);
  assert.ok(match && "binding" in match, `${httpMethod} ${path} leads to a method`);
  return match;
}

/** Where a request leads: the name of its binding, the verbs that the path has, or nowhere. */
export function whereTo(router: RestRouter, httpMethod: string, path: string): string | undefined {
  const match: RestMatch | undefined = router.match(httpMethod, path);
  if (!match) return undefined;
  return "allow" in match ? `only ${match.allow.join(", ")}` : match.binding.name;
}

/** What is wrong with a request: field, description and reason of each violation. */
export function faultsOf(router: RestRouter, httpMethod: string, url: string, body?: string): string[][] {
  return faultsIn(() => requestOf(router, httpMethod, url, body));
}

export function faultsIn(read: () => unknown): string[][] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    assert.equal(error.code, Code.InvalidArgument);
    const [details, ...more] = error.details(BadRequestSchema);
    assert.ok(details && more.length === 0, "there is one BadRequest");
    return details.fieldViolations.map(({ field, description, reason }) => [field, description, reason]);
  }
  return [];
}

/** The method with another HTTP annotation, or with none. */
export function annotated(method: DescMethod, rule: MessageInitShape<typeof HttpRuleSchema>): DescMethod {
  const proto = clone(MethodDescriptorProtoSchema, method.proto);
  proto.options = create(MethodOptionsSchema);
  setExtension(proto.options, http, create(HttpRuleSchema, rule));
  return { ...method, proto };
}

export function problemsOf(...methods: readonly DescMethod[]): readonly string[] {
  try {
    createRestRouter(methods);
  } catch (error) {
    assert.ok(error instanceof RestBindingError, String(error));
    return error.problems;
  }
  return [];
}

/** A GET of that path, bound to a method whose request has no fields to speak of. */
export function get(method: DescMethod, path: string): DescMethod {
  return annotated(method, { pattern: { case: "get", value: path } });
}
