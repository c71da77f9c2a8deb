/**
 * # The OpenAPI document of a worker
 *
 * It is made from what the runtime itself reads: the bindings that REST is served by, the descriptors of messages,
 * the rules of validation, and the functions that make errors.
 */
import type { DescService } from "@bufbuild/protobuf";
import { StatusSchema } from "@gantry/proto/google/rpc/status_pb.js";
import type { RestBinding } from "../rest/binding.ts";
import { type OpenApi, type Operation, type Parameter, VERBS } from "./documents.ts";
import { commonErrors } from "./errors.ts";
import { operationOf } from "./operation.ts";
import { openApiPath } from "./path.ts";
import { Schemas } from "./schemas.ts";
import { commentOf } from "./words.ts";

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  /** As `RestRouter.bindings` has them. */
  readonly bindings: readonly RestBinding[];
}

/** The document, in OpenAPI 3.1. Source: https://spec.openapis.org/oas/v3.1.1 */
export function createOpenApi({ title, version, bindings }: OpenApiOptions): OpenApi {
  const schemas = new Schemas();
  schemas.message(StatusSchema);
  const paths = new Paths(schemas);
  for (const binding of bindings) paths.add(binding);
  const services = new Set(bindings.map(({ method }) => method.parent));
  return {
    openapi: "3.1.0",
    info: { title, version, description: DESCRIPTION },
    servers: [{ url: "/" }],
    tags: [...services].map(tagOf),
    paths: paths.items,
    components: {
      schemas: schemas.components,
      responses: commonErrors(),
      parameters: { GrpcTimeout: GRPC_TIMEOUT },
    },
  };
}

const DESCRIPTION =
  "JSON is that of protobuf: names of fields are taken as they stand here or as the contract has them, whole " +
  "numbers of 64 bits are text, and what is not sent has its default. Fields, parameters and values that are not " +
  "known are refused. Errors are `google.rpc.Status`.";

const GRPC_TIMEOUT: Parameter = {
  name: "Grpc-Timeout",
  in: "header",
  description: "How long the call may take: up to eight digits and one of H, M, S, m (milliseconds), u, n.",
  schema: { type: "string", pattern: "^[0-9]{1,8}[HMSmun]$" },
  example: "2S",
};

function tagOf(service: DescService) {
  const description = commentOf(service);
  return { name: service.typeName, ...(description !== undefined && { description }) };
}

class Paths {
  readonly items: OpenApi["paths"] = {};
  readonly #schemas: Schemas;
  readonly #operationIds = new Set<string>();
  /** Paths by their shape: those that differ in the names of parameters only are one to OpenAPI. */
  readonly #byShape = new Map<string, { path: string; parameters: readonly Parameter[] }>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  add(binding: RestBinding): void {
    const own = openApiPath(binding, this.#schemas);
    const shape = own.path.replaceAll(/\{[^}]*\}/g, "{}");
    const first = this.#byShape.get(shape) ?? own;
    this.#byShape.set(shape, first);
    // The names are those of the path's first binding.
    const parameters = own.parameters.map((parameter, index) => ({
      ...parameter,
      name: first.parameters[index]?.name ?? parameter.name,
    }));
    const operation = operationOf(binding, this.#operationId(binding), parameters, this.#schemas);
    this.#put(first.path, binding.httpMethod, operation);
  }

  #put(path: string, httpMethod: string, operation: Operation): void {
    const item = this.items[path] ?? {};
    this.items[path] = item;
    const verb = VERBS.find((one) => one.toUpperCase() === httpMethod);
    if (verb) item[verb] = operation;
    else item["x-other-methods"] = { ...item["x-other-methods"], [httpMethod]: operation };
  }

  /** `Greeter_SayHello`, and `Greeter_SayHello_2` for its second binding. */
  #operationId({ method }: RestBinding): string {
    const id = `${method.parent.name}_${method.name}`;
    let unique = id;
    for (let count = 2; this.#operationIds.has(unique); count += 1) unique = `${id}_${count}`;
    this.#operationIds.add(unique);
    return unique;
  }
}
