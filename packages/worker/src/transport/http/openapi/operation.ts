import type { JsonValue } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { methodName } from "@gantry/rpc";
import type { RestBinding } from "../rest/binding.ts";
import type { Answer, MediaType, Operation, Parameter, Schema } from "./documents.ts";
import { errorAnswers } from "./errors.ts";
import { ALONE, exampleOfField, exampleOfMessage } from "./examples.ts";
import { queryParameters } from "./query.ts";
import type { Schemas } from "./schemas.ts";
import { commentOf, summaryOf, text } from "./words.ts";

const STATUS: Schema = { $ref: "#/components/schemas/google.rpc.Status" };
const { NO_SIDE_EFFECTS, IDEMPOTENT } = MethodOptions_IdempotencyLevel;

/** @param operationId is the document's own to make, since no two may be the same */
export function operationOf(
  binding: RestBinding,
  operationId: string,
  pathParameters: readonly Parameter[],
  schemas: Schemas,
): Operation {
  const { method } = binding;
  const requestBody = requestBodyOf(binding, schemas);
  const repeatable = method.idempotency === NO_SIDE_EFFECTS || method.idempotency === IDEMPOTENT;
  return {
    tags: [method.parent.typeName],
    operationId,
    summary: summaryOf(method),
    description: text(
      commentOf(method),
      repeatable ? "May be repeated without harm." : undefined,
      `gRPC: \`${methodName(method)}\`.`,
    ),
    parameters: [
      ...pathParameters,
      ...queryParameters(binding, schemas),
      { $ref: "#/components/parameters/GrpcTimeout" },
    ],
    ...(requestBody && { requestBody }),
    responses: { 200: responseOf(binding, schemas), ...errorAnswers(binding) },
  };
}

function requestBodyOf(binding: RestBinding, schemas: Schemas): Operation["requestBody"] {
  const { body, method, variables } = binding;
  if (body === "none") return undefined;
  const schema = body === "*" ? schemas.message(method.input) : schemas.field(body);
  const around = { ...ALONE, elsewhere: new Set(variables.map(({ fieldPath }) => fieldPath)) };
  const example = body === "*" ? exampleOfMessage(method.input, around) : exampleOfField(body, around);
  if (method.methodKind === "unary" || method.methodKind === "server_streaming") {
    return { required: false, content: { "application/json": mediaType(schema, example) } };
  }
  return {
    description: "A stream of messages: one a line, or all of them as one list.",
    required: true,
    content: {
      "application/x-ndjson": mediaType(schema, example === undefined ? undefined : lines(example)),
      "application/json": mediaType(
        { type: "array", items: schema },
        example === undefined ? undefined : [example],
      ),
    },
  };
}

function responseOf({ method, responseBody }: RestBinding, schemas: Schemas): Answer {
  const schema = responseBody ? schemas.field(responseBody) : schemas.message(method.output);
  const example = responseBody ? exampleOfField(responseBody) : exampleOfMessage(method.output);
  if (method.methodKind === "unary" || method.methodKind === "client_streaming") {
    return { description: "OK", content: { "application/json": mediaType(schema, example) } };
  }
  const failed: Schema = {
    type: "object",
    properties: { error: STATUS },
    required: ["error"],
    description: "The last, where the stream ends with an error.",
  };
  const json = JSON.stringify(example);
  return {
    description:
      "A stream of messages, as it is asked for with `Accept`: one a line, or one a server-sent event. What fails " +
      "before the first message is answered as any other error; after it, the last line or the event `error` " +
      "tells. Behind the last message the event `end` says that there is no more.",
    content: {
      "application/x-ndjson": mediaType(
        { anyOf: [schema, failed] },
        example === undefined ? undefined : lines(example),
      ),
      "text/event-stream": mediaType(
        { type: "string" },
        example === undefined ? undefined : `data: ${json}\n\nevent: end\ndata: {}\n\n`,
      ),
    },
  };
}

function lines(example: JsonValue): string {
  return `${JSON.stringify(example)}\n`;
}

function mediaType(schema: Schema, example: MediaType["example"]): MediaType {
  return example === undefined ? { schema } : { schema, example };
}
