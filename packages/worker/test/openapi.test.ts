import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescMethod, JsonValue } from "@bufbuild/protobuf";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { Validator } from "@seriousme/openapi-schema-validator";
import { type Operation, type Parameter, VERBS } from "../src/transport/http/openapi/documents.ts";
import { createOpenApi } from "../src/transport/http/openapi/openapi.ts";
import { readArray, readMessage, readRequest } from "../src/transport/http/rest/request.ts";
import { createRestRouter } from "../src/transport/http/rest/router.ts";
import { prepareValidation } from "../src/validate/validation.ts";
import { contract, methodOf } from "./support/contract.ts";
import { annotated, found, get } from "./support/rest.ts";

const library = contract("library.proto").service("library.v1.Library");
const LIBRARY = library.methods;
const REFERENCE = [...Greeter.methods, ...MathService.methods];

function documentOf(methods: readonly DescMethod[]) {
  const router = createRestRouter(methods);
  return {
    router,
    document: createOpenApi({ title: "worker", version: "1.2.3", bindings: router.bindings }),
  };
}

const reference = documentOf(REFERENCE);
const odd = documentOf(LIBRARY);

function operation({ document }: typeof odd, path: string, verb: "get" | "post" | "patch"): Operation {
  const found = document.paths[path]?.[verb];
  assert.ok(found, `${verb} ${path} is there, among ${Object.keys(document.paths)}`);
  return found;
}

function parametersOf(of: Pick<Operation, "parameters">): Record<string, Parameter> {
  return Object.fromEntries(
    of.parameters.flatMap((parameter) => ("$ref" in parameter ? [] : [[parameter.name, parameter]])),
  );
}

/** Every object in a document. */
function* objectsIn(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const part of Object.values(value)) yield* objectsIn(part);
}

for (const [name, { document }] of Object.entries({
  "Greeter and Math": reference,
  "a service of odd shapes": odd,
})) {
  test(`the document of ${name} is valid OpenAPI 3.1`, async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
    assert.ok(valid, JSON.stringify(errors));
    assert.match(document.openapi, /^3\.1\./);
  });

  test(`what the document of ${name} refers to is there`, () => {
    const { schemas, responses, parameters } = document.components;
    const there = new Set(
      Object.entries({ schemas, responses, parameters }).flatMap(([kind, parts]) =>
        Object.keys(parts).map((part) => `#/components/${kind}/${part}`),
      ),
    );
    const references = [...objectsIn(document)].flatMap(({ $ref }) =>
      typeof $ref === "string" ? [$ref] : [],
    );
    assert.ok(references.length > 0);
    assert.deepEqual(
      references.filter((one) => !there.has(one)),
      [],
    );
  });

  test(`every operation of ${name} has an id of its own, and the path's parameters`, () => {
    const ids = new Set<string>();
    for (const [path, item] of Object.entries(document.paths)) {
      for (const { operationId, parameters } of [...objectsIn(item)].filter((one) => "operationId" in one)) {
        assert.ok(!ids.has(String(operationId)), String(operationId));
        ids.add(String(operationId));
        const named = [...path.matchAll(/\{([^}]*)\}/g)].map(([, parameter]) => parameter);
        const inPath = (parameters as Parameter[]).filter((one) => one.in === "path").map((one) => one.name);
        assert.deepEqual(inPath, named, path);
      }
    }
  });
}

test("every path of a binding is in the document, variables of several segments by their parts", () => {
  assert.deepEqual(Object.keys(odd.document.paths), [
    "/v1/shelves/{name.1}/books/{name.2}",
    "/v1/isbn/{isbn}",
    "/v1/{filter.theme}/books",
    "/v1/books/{shelf}",
    "/v1/shelves/{name.1}/books/{name.2}:archive",
    "/v1/files/{path}",
    "/v1/cache",
    "/v1/tags/{number}",
    "/v1/shelves/{shelf}/import",
  ]);
  const shelves = odd.document.paths["/v1/shelves/{name.1}/books/{name.2}"];
  assert.deepEqual(Object.keys(shelves ?? {}).sort(), ["get", "patch", "put"]);
  assert.match(
    parametersOf(operation(odd, "/v1/files/{path}", "get")).path?.description ?? "",
    /slashes in it are not encoded/,
  );
});

test("a verb that OpenAPI does not know has a place beside those that it knows", () => {
  const item = odd.document.paths["/v1/cache"];
  assert.deepEqual(Object.keys(item ?? {}), ["x-other-methods"]);
  assert.equal(item?.["x-other-methods"]?.PURGE?.operationId, "Library_PurgeCache");
});

test("paths that differ in the names of variables only are one", () => {
  const name = get(methodOf(library, "GetBook"), "/a/{name}/b");
  const shelf = annotated(methodOf(library, "CreateBook"), {
    pattern: { case: "post", value: "/a/{shelf}/b" },
    body: "*",
  });
  const { paths } = documentOf([name, shelf]).document;
  assert.deepEqual(Object.keys(paths), ["/a/{name}/b"]);
  assert.deepEqual(Object.keys(paths["/a/{name}/b"] ?? {}), ["get", "post"]);
});

test("fields that are not in path or body are query parameters, where a query can say them", () => {
  const parameters = parametersOf(operation(odd, "/v1/{filter.theme}/books", "get"));
  assert.deepEqual(Object.keys(parameters), [
    "filter.theme",
    "filter.authorName",
    "pageSize",
    "words",
    "themes",
    "since",
    "within",
    "readMask",
    "leastPages",
    "lent",
    "token",
    "exact",
    "weight",
    "reader",
    "card",
  ]);
  assert.deepEqual(
    Object.keys(parametersOf(operation(odd, "/v1/shelves/{name.1}/books/{name.2}", "patch"))),
    ["name.1", "name.2", "updateMask", "allowMissing"],
  );
});

test("types are those of protobuf's JSON", () => {
  const { properties = {} } = odd.document.components.schemas["library.v1.Book"] ?? {};
  assert.deepEqual(properties.copies, { type: "string", format: "int64", pattern: "^-?[0-9]+$" });
  assert.deepEqual(properties.theme, { $ref: "#/components/schemas/library.v1.Theme" });
  assert.deepEqual(odd.document.components.schemas["library.v1.Theme"], {
    type: "string",
    enum: ["THEME_UNSPECIFIED", "THEME_MYSTERY", "THEME_SCIENCE"],
  });
  assert.deepEqual(properties.sequels, {
    type: "array",
    items: { $ref: "#/components/schemas/library.v1.Book" },
  });
  assert.deepEqual(properties.printed, { type: "string", format: "date-time" });
  assert.deepEqual(properties.subtitle, { type: ["string", "null"] });
  assert.deepEqual(properties.moods, {
    type: "object",
    propertyNames: { enum: ["true", "false"] },
    additionalProperties: { $ref: "#/components/schemas/library.v1.Theme" },
  });
  assert.match(
    odd.document.components.schemas["library.v1.Book"]?.description ?? "",
    /At most one of `person`, `house`, `club`/,
  );
});

test("rules of validation are constraints", () => {
  const { pageSize, "filter.authorName": author } = parametersOf(
    operation(odd, "/v1/{filter.theme}/books", "get"),
  );
  assert.deepEqual([pageSize?.schema.minimum, pageSize?.schema.maximum], [1, 100]);
  assert.deepEqual([author?.schema.minLength, author?.schema.maxLength], [1, 20]);
  const { name } = parametersOf(operation(reference, "/api/v1/greeter/{name}", "get"));
  assert.deepEqual(name?.schema, { type: "string", minLength: 1, maxLength: 256, pattern: "^[^\\p{Cc}]*$" });
  // A number that must be finite is never written by its name.
  assert.deepEqual(reference.document.components.schemas["math.v1.AccumulateRequest"]?.properties?.val, {
    type: "number",
    format: "double",
    description: "A finite number.",
  });
});

test("what the contract says in comments is told", () => {
  const { summary, description } = operation(reference, "/api/v1/greeter/{name}", "get");
  assert.equal(summary, "Greets one person");
  assert.match(description ?? "", /Sends the header `location`/);
  assert.equal(reference.document.tags[0]?.description, "Greets people, in one method of each kind.");
  assert.equal(operation(odd, "/v1/{filter.theme}/books", "get").summary, "List books");
});

test("streams have the content types that they are served with", () => {
  const server = operation(reference, "/api/v1/math/fibonacci/{limit}", "get").responses["200"];
  assert.ok(server && "content" in server);
  assert.deepEqual(Object.keys(server.content ?? {}), ["application/x-ndjson", "text/event-stream"]);
  const { requestBody } = operation(reference, "/api/v1/greeter/greetings", "post");
  assert.deepEqual(Object.keys(requestBody?.content ?? {}), ["application/x-ndjson", "application/json"]);
});

test("errors are told with the examples that the worker would answer", () => {
  const { responses } = operation(reference, "/api/v1/greeter/{name}", "get");
  assert.deepEqual(Object.keys(responses), [
    "200",
    "400",
    "401",
    "403",
    "404",
    "429",
    "503",
    "504",
    "default",
  ]);
  const refused = responses["429"];
  assert.ok(refused && "content" in refused);
  assert.ok(refused.headers?.["Retry-After"]);
  const example = refused.content?.["application/json"]?.example as {
    code: number;
    message: string;
    details: { "@type": string }[];
  };
  assert.equal(example.code, 8);
  assert.match(
    example.message,
    /^Quota "greetings-per-name" is used up for name:someone: at most 60 calls per 60s/,
  );
  assert.deepEqual(
    example.details.map(({ "@type": type }) => type.replace(/^.*\./, "")),
    ["QuotaFailure", "ErrorInfo", "RetryInfo"],
  );
});

test("every example of a request is one that the worker takes", async () => {
  for (const { document, router } of [reference, odd]) {
    const validation = await prepareValidation(router.bindings.map(({ method }) => method.input));
    for (const [path, item] of Object.entries(document.paths)) {
      for (const verb of VERBS) {
        const { parameters, requestBody } = item[verb] ?? {};
        if (!parameters) continue;
        const examples = parametersOf({ parameters });
        const url = path.replaceAll(/\{([^}]*)\}/g, (_, name) =>
          encodeURIComponent(String(examples[name]?.example ?? "x")),
        );
        const { binding, captures } = found(router, verb.toUpperCase(), url);
        const { "application/json": json, "application/x-ndjson": lines } = requestBody?.content ?? {};
        const text = json?.example === undefined ? undefined : JSON.stringify(json.example);
        const messages = lines
          ? [
              ...readArray(binding, text ?? "[]", captures),
              readMessage(binding, String(lines.example), captures),
            ]
          : [readRequest(binding, captures, "", text)];
        for (const message of messages) {
          // Rules of a query's fields can only be broken by their absence here: examples have none of them.
          const violations = requestBody ? validation.get(binding.method.input)?.(message) : undefined;
          assert.equal(violations, undefined, `${verb} ${path}: ${JSON.stringify(violations)}`);
        }
      }
    }
  }
});

test("an example is bounded, however a type holds itself", () => {
  const { content } = operation(odd, "/v1/books/{shelf}", "post").requestBody ?? {};
  const example: JsonValue | undefined = content?.["application/json"]?.example;
  assert.ok(example && typeof example === "object" && !Array.isArray(example));
  assert.ok(JSON.stringify(example).length < 1_000, JSON.stringify(example));
  assert.ok(!("sequels" in example) && !("shelf" in example));
});
