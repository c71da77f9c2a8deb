import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { RestBinding } from "../rest/binding.ts";
import { hasText } from "../rest/url-values.ts";
import type { Parameter } from "./documents.ts";
import { rulesOf } from "./rules.ts";
import type { Schemas } from "./schemas.ts";

/** The query parameters of a binding: all fields that have a text, and are neither in the path nor in the body. */
export function queryParameters({ method, body, variables }: RestBinding, schemas: Schemas): Parameter[] {
  if (body === "*" || hasCustomJsonRepresentation(method.input)) return [];
  const elsewhere = new Set(variables.map(({ fieldPath }) => fieldPath));
  if (typeof body === "object") elsewhere.add(body.name);
  return parametersOf(method.input, { elsewhere, schemas, path: "", names: "", above: [] });
}

interface Around {
  /** The paths of fields that are in the path or in the body. */
  readonly elsewhere: ReadonlySet<string>;
  readonly schemas: Schemas;
  /** What stands before the fields' names in the proto, and in JSON: `filter.`. */
  readonly path: string;
  readonly names: string;
  readonly above: readonly DescMessage[];
}

function parametersOf(desc: DescMessage, around: Around): Parameter[] {
  const { elsewhere, schemas, path, names, above } = around;
  return desc.fields.flatMap((field) => {
    if (elsewhere.has(path + field.name) || field.fieldKind === "map") return [];
    if (!hasText(field)) {
      const inner = field.fieldKind === "message" ? field.message : undefined;
      // A type that holds itself would go on for ever: its fields are told once.
      if (!inner || hasCustomJsonRepresentation(inner) || inner === desc || above.includes(inner)) return [];
      const deeper = { path: `${path}${field.name}.`, names: `${names}${field.jsonName}.` };
      return parametersOf(inner, { ...around, ...deeper, above: [...above, desc] });
    }
    return field.fieldKind === "list" && field.message ? [] : [parameter(field, names, schemas)];
  });
}

function parameter(field: DescField, names: string, schemas: Schemas): Parameter {
  const { description, ...schema } = schemas.field(field);
  return {
    name: names + field.jsonName,
    in: "query",
    ...(rulesOf(field)?.required && names === "" && { required: true }),
    ...(description !== undefined && { description }),
    schema,
  };
}
