import {
  type DescField,
  type DescMessage,
  type DescMethod,
  getOption,
  hasOption,
  type Registry,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { http as httpOption } from "@gantry/proto/google/api/annotations_pb.js";
import type { HttpRule } from "@gantry/proto/google/api/http_pb.js";
import { methodName } from "@gantry/rpc";
import { holdsAny, kindOfField, unknownField } from "./message-shape.ts";
import { type PathTemplate, parseTemplate, type Variable } from "./template.ts";

/** One way in which a method is called by REST. */
export interface RestBinding {
  /** `greeter.v1.Greeter/SayHello GET /api/v1/greeter/{name}` */
  readonly name: string;
  readonly method: DescMethod;
  /** `GET`, or as a custom pattern says it; `*` is every one. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** The template's variables with their fields. */
  readonly variables: readonly PathVariable[];
  /** What of the request is in the body: nothing, all that is not in the path, or one field. */
  readonly body: "none" | "*" | DescField;
  /** The field of the response that is the body; undefined: all of it is. */
  readonly responseBody: DescField | undefined;
  /** What a `google.protobuf.Any` in the request may hold; undefined where there is none. */
  readonly requestTypes: (() => Registry) | undefined;
  /** The same for the response. */
  readonly responseTypes: (() => Registry) | undefined;
}

export interface PathVariable extends Variable {
  /** From the request message down to the field: `book`, `name`. */
  readonly fields: readonly DescField[];
}

/**
 * A method's bindings, additional ones included; none where it has no annotation.
 *
 * @param problems what is wrong is added here, and such a binding left out
 */
export function bindingsOf(method: DescMethod, types: () => Registry, problems: string[]): RestBinding[] {
  if (!hasOption(method, httpOption)) return [];
  const rule = getOption(method, httpOption);
  const bindings: RestBinding[] = [];
  for (const one of [rule, ...rule.additionalBindings]) {
    const { httpMethod, path } = patternOf(one);
    const name = `${methodName(method)} ${httpMethod} ${path}`;
    try {
      if (one !== rule && one.additionalBindings.length > 0) {
        throw new Error("an additional binding must not have additional bindings of its own");
      }
      bindings.push(bindingOf(method, one, name, types));
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return bindings;
}

function patternOf({ pattern }: HttpRule): { httpMethod: string; path: string } {
  switch (pattern.case) {
    case undefined:
      return { httpMethod: "", path: "" };
    case "custom":
      return { httpMethod: pattern.value.kind, path: pattern.value.path };
    default:
      return { httpMethod: pattern.case.toUpperCase(), path: pattern.value };
  }
}

/** Source: RFC 9110, section 5.6.2, "Tokens". */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

function bindingOf(method: DescMethod, rule: HttpRule, name: string, types: () => Registry): RestBinding {
  const { httpMethod, path } = patternOf(rule);
  if (rule.pattern.case === undefined)
    throw new Error("expected one of get, put, post, delete, patch, custom");
  if (!TOKEN.test(httpMethod)) throw new Error(`${JSON.stringify(httpMethod)} is no HTTP method`);
  const template = parseTemplate(path);
  const variables = template.variables.map((variable) => ({
    ...variable,
    fields: pathFields(method.input, variable.fieldPath),
  }));
  const body = bodyOf(method, rule, httpMethod);
  refuseTwice(variables, body);
  return {
    name,
    method,
    httpMethod,
    template,
    variables,
    body,
    responseBody:
      rule.responseBody === "" ? undefined : topField(method.output, rule.responseBody, "response_body"),
    requestTypes: holdsAny(method.input) ? types : undefined,
    responseTypes: holdsAny(method.output) ? types : undefined,
  };
}

/** "Path variables must not refer to any repeated or mapped field", and take values that are no messages. */
function pathFields(desc: DescMessage, fieldPath: string): DescField[] {
  const fields: DescField[] = [];
  let message: DescMessage | undefined = desc;
  for (const name of fieldPath.split(".")) {
    if (!message || hasCustomJsonRepresentation(message)) {
      throw new Error(`{${fieldPath}}: ${fields.at(-1)?.name ?? desc.name} has no fields of its own in JSON`);
    }
    const field: DescField | undefined = message.fields.find((one) => one.name === name);
    if (!field) throw new Error(`{${fieldPath}}: ${name} ${unknownField(message, name)}`);
    fields.push(field);
    message = field.fieldKind === "message" ? field.message : undefined;
  }
  const last = fields.at(-1);
  if (last?.fieldKind !== "scalar" && last?.fieldKind !== "enum") {
    throw new Error(
      `{${fieldPath}} is ${kindOfField(last)}: expected a scalar or an enum that is not repeated`,
    );
  }
  return fields;
}

function bodyOf(method: DescMethod, { body }: HttpRule, httpMethod: string): RestBinding["body"] {
  if (body !== "" && (httpMethod === "GET" || httpMethod === "HEAD")) {
    throw new Error(`${httpMethod} has no body: expected no "body", found ${JSON.stringify(body)}`);
  }
  const streamsIn = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  if (body === "" && streamsIn) {
    throw new Error('the requests of a stream come in a body: expected "body" to be "*" or a field');
  }
  if (body === "") return "none";
  return body === "*" ? "*" : topField(method.input, body, "body");
}

function topField(desc: DescMessage, name: string, what: string): DescField {
  const field = hasCustomJsonRepresentation(desc) ? undefined : desc.fields.find((one) => one.name === name);
  if (!field) throw new Error(`${what}: ${JSON.stringify(name)} ${unknownField(desc, name)}`);
  return field;
}

/** A field has one place only. */
function refuseTwice(variables: readonly PathVariable[], body: RestBinding["body"]): void {
  const seen = new Set(typeof body === "object" ? [body.name] : []);
  for (const { fieldPath } of variables) {
    if (seen.has(fieldPath)) throw new Error(`{${fieldPath}} has two places in the request: expected one`);
    seen.add(fieldPath);
  }
}
