import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { badRequest, Code, detail, errorInfo, RpcError, retryInfo } from "@gantry/rpc";
import { writeResponse } from "../src/transport/http/rest/response.ts";
import { createRestRouter } from "../src/transport/http/rest/router.ts";
import { statusJson } from "../src/transport/http/rest/status.ts";
import { contract } from "./support/contract.ts";
import { found } from "./support/rest.ts";

const contracts = contract("library.proto");
const library = createRestRouter(contracts.service("library.v1.Library").methods);
const math = createRestRouter(MathService.methods);

function written(router: typeof library, httpMethod: string, path: string, json: JsonValue): unknown {
  const { binding } = found(router, httpMethod, path);
  const message = fromJson(binding.method.output, json, { registry: router.types() });
  return JSON.parse(writeResponse(binding, message));
}

test("fields at their default are written, 64 bits as text, enums by name; what is not set is left out", () => {
  assert.deepEqual(written(math, "POST", "/api/v1/math/sum", {}), { val: 0 });
  assert.deepEqual(written(math, "POST", "/api/v1/math/divide", { quotient: "9223372036854775807" }), {
    quotient: "9223372036854775807",
    remainder: "0",
  });
  const book = written(library, "GET", "/v1/isbn/1", { theme: 2, club: 0, weight: "NaN", cover: "_w==" });
  assert.deepEqual(book, {
    name: "",
    shelf: "",
    pages: 0,
    copies: "0",
    isbn: "0",
    theme: "THEME_SCIENCE",
    cover: "/w==",
    price: 0,
    weight: "NaN",
    lent: false,
    tags: [],
    sequels: [],
    ratings: {},
    editions: {},
    moods: {},
    club: 0,
  });
});

test("a response body is the field alone, be it empty", () => {
  const books = (json: JsonValue) => written(library, "GET", "/v1/THEME_MYSTERY/books", json);
  assert.deepEqual(books({}), []);
  const [book] = books({ books: [{ name: "a" }] }) as { name: string }[];
  assert.equal(book?.name, "a");
  assert.deepEqual(written(library, "POST", "/v1/tags/1", { number: 7, tags: ["a"] }), ["a"]);
});

test("what a message wraps is written by its own type", () => {
  const attachment = { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1s" };
  const { attachment: back } = written(library, "GET", "/v1/isbn/1", { attachment }) as {
    attachment: unknown;
  };
  assert.deepEqual(back, attachment);
});

test("an error is google.rpc.Status, its details by their types", () => {
  const error = new RpcError(Code.ResourceExhausted, "Too much.", [
    badRequest([{ field: "name", description: "is bad" }]),
    errorInfo("QUOTA_EXCEEDED", "greeter.v1.Greeter", { quotaId: "q" }),
    retryInfo(1_500),
  ]);
  assert.deepEqual(JSON.parse(statusJson(error)), {
    code: 8,
    message: "Too much.",
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        fieldViolations: [{ field: "name", description: "is bad" }],
      },
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "QUOTA_EXCEEDED",
        domain: "greeter.v1.Greeter",
        metadata: { quotaId: "q" },
      },
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.500s" },
    ],
  });
  assert.deepEqual(JSON.parse(statusJson(new RpcError(Code.NotFound, ""))), {
    code: 5,
    message: "",
    details: [],
  });
});

test("details of a service's own types are known to its router, and have their value in one place", () => {
  const Library = contracts.message("library.v1.Book.Library");
  const error = new RpcError(Code.Aborted, "Gone.", [
    detail(Library, fromJson(Library, { city: "Ghent" })),
    anyPack(DurationSchema, create(DurationSchema, { seconds: 3n })),
  ]);
  const { details } = JSON.parse(statusJson(error, library.types)) as { details: unknown };
  assert.deepEqual(details, [
    { "@type": "type.googleapis.com/library.v1.Book.Library", city: "Ghent" },
    { "@type": "type.googleapis.com/google.protobuf.Duration", value: "3s" },
  ]);
});

test("a detail that is not known, or broken, comes as base64", () => {
  const typeUrl = "type.googleapis.com/other.v1.Thing";
  const broken = "type.googleapis.com/google.rpc.RetryInfo";
  const value = toBinary(DurationSchema, create(DurationSchema, { seconds: 3n }));
  const error = new RpcError(Code.Unknown, "Odd.", [
    { $typeName: "google.protobuf.Any", typeUrl, value },
    { $typeName: "google.protobuf.Any", typeUrl: broken, value: Uint8Array.of(0xff) },
  ]);
  const { details } = JSON.parse(statusJson(error, library.types)) as { details: unknown };
  assert.deepEqual(details, [
    { "@type": typeUrl, value: "CAM=" },
    { "@type": broken, value: "/w==" },
  ]);
});
