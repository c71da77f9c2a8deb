/** The parts of an OpenAPI document that are made here. Source: https://spec.openapis.org/oas/v3.1.1 */
import type { JsonValue } from "@bufbuild/protobuf";

/** JSON Schema of the 2020-12 draft, as OpenAPI 3.1 has it. */
export interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  format?: string;
  description?: string;
  title?: string;
  contentEncoding?: string;
  pattern?: string;
  enum?: readonly JsonValue[];
  const?: JsonValue;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  propertyNames?: Schema;
  additionalProperties?: Schema | boolean;
  required?: readonly string[];
  anyOf?: readonly Schema[];
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description?: string;
  schema: Schema;
  example?: JsonValue;
}

export interface MediaType {
  schema: Schema;
  example?: JsonValue;
}

export interface Answer {
  description: string;
  headers?: Record<string, { description: string; schema: Schema }>;
  content?: Record<string, MediaType>;
}

export interface Operation {
  tags: readonly string[];
  operationId: string;
  summary: string;
  description?: string;
  parameters: readonly (Parameter | { $ref: string })[];
  requestBody?: { description?: string; required: boolean; content: Record<string, MediaType> };
  responses: Record<string, Answer | { $ref: string }>;
}

/** The verbs that OpenAPI has a place for. */
export const VERBS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const;

export type Verb = (typeof VERBS)[number];

export interface PathItem extends Partial<Record<Verb, Operation>> {
  /** Other verbs, as the contract has them; `*` is every one. */
  "x-other-methods"?: Record<string, Operation>;
}

export interface OpenApi {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: readonly { url: string }[];
  tags: readonly { name: string; description?: string }[];
  paths: Record<string, PathItem>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Answer>;
    parameters: Record<string, Parameter>;
  };
}
