import type { PathVariable, RestBinding } from "../rest/binding.ts";
import type { Segment } from "../rest/template.ts";
import type { Parameter } from "./documents.ts";
import { exampleOfField } from "./examples.ts";
import type { Schemas } from "./schemas.ts";
import { commentOf, text } from "./words.ts";

/** The path of a binding as OpenAPI writes it, where every part that varies is a parameter. */
export interface OpenApiPath {
  /** `/v1/shelves/{name.1}/books/{name.2}` */
  readonly path: string;
  /** In the order of the path. */
  readonly parameters: readonly Parameter[];
}

/** OpenAPI has no variables of several segments: there each `*` of a variable is a parameter. */
export function openApiPath({ template, variables }: RestBinding, schemas: Schemas): OpenApiPath {
  const parameters: Parameter[] = [];
  const { segments, verb } = template;
  const parts = segments.map((segment, index) => {
    if (segment.kind === "literal") return encodeURIComponent(segment.text);
    const variable = variables.find(({ start, end }) => index >= start && index < (end ?? segments.length));
    const parameter = variable ? parameterOf(variable, segments, index, schemas) : anonymous(segment, index);
    parameters.push(parameter);
    return `{${parameter.name}}`;
  });
  return { path: `/${parts.join("/")}${verb && `:${encodeURIComponent(verb)}`}`, parameters };
}

function parameterOf(
  variable: PathVariable,
  segments: readonly Segment[],
  index: number,
  schemas: Schemas,
): Parameter {
  const { fieldPath, fields, start, end, multiple } = variable;
  const field = fields.at(-1);
  if (field && !multiple) {
    const { description, ...schema } = schemas.field(field);
    const example = exampleOfField(field);
    return {
      name: fieldPath,
      in: "path",
      required: true,
      ...(description !== undefined && { description }),
      schema,
      ...(example !== undefined && { example }),
    };
  }
  const own = segments.slice(start, end);
  const varying = own.filter(({ kind }) => kind !== "literal");
  const at = segments.slice(start, index + 1).filter(({ kind }) => kind !== "literal").length;
  const name = varying.length === 1 ? fieldPath : `${fieldPath}.${at}`;
  const pattern = own.map((one) => (one.kind === "literal" ? one.text : one.kind)).join("/");
  const description = text(
    field && commentOf(field),
    `A part of \`${fieldPath}\`, which is \`${pattern}\`.`,
    restOf(segments[index]),
  );
  return { name, in: "path", required: true, description, schema: { type: "string" } };
}

function anonymous(segment: Segment, index: number): Parameter {
  const description = text("Any text.", restOf(segment));
  return {
    name: `segment.${index + 1}`,
    in: "path",
    required: true,
    description,
    schema: { type: "string" },
  };
}

function restOf(segment: Segment | undefined): string | undefined {
  return segment?.kind === "**" ? "It may have several segments: slashes in it are not encoded." : undefined;
}
