import assert from "node:assert/strict";
import { test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { readArray, readMessage } from "../src/transport/http/rest/request.ts";
import { createRestRouter } from "../src/transport/http/rest/router.ts";
import { contract, methodOf } from "./support/contract.ts";
import { annotated, faultsIn, faultsOf, found, jsonOf, requestOf } from "./support/rest.ts";

const service = contract("library.proto").service("library.v1.Library");
const library = createRestRouter(service.methods);
const math = createRestRouter(MathService.methods);
const BOOK = "/v1/shelves/1/books/2";
const NAME = "shelves/1/books/2";

/** A book as UpdateBook understands it, without the name that its path gave it. */
function bookOf(json: string) {
  const request = requestOf(library, "POST", "/v1/books/s", json);
  assert.ok(request && typeof request === "object" && !Array.isArray(request));
  const { shelf, ...book } = request;
  assert.equal(shelf, "s");
  return book;
}

/** What is wrong with a book. */
function faultsOfBook(json: string): string[][] {
  return faultsOf(library, "POST", "/v1/books/s", json);
}

test("every kind of field is read as protobuf's JSON writes it", () => {
  const json = {
    pages: -7,
    copies: "-9223372036854775808",
    isbn: "18446744073709551615",
    theme: "THEME_SCIENCE",
    cover: "+/8=",
    price: 1.5,
    weight: "NaN",
    lent: true,
    tags: ["a", ""],
    sequels: [{ name: "b" }],
    ratings: { x: 5 },
    editions: { "-1": { name: "c" } },
    moods: { true: "THEME_MYSTERY" },
    house: { city: "九龍" },
    printed: "2026-01-31T12:00:00.500Z",
    loan: "-1.500s",
    subtitle: "",
    extra: { a: [1, null, { b: "c" }] },
    note: null,
    list: [1, "a", true],
    remark: "",
    mask: "a,b.cD",
    attachment: { "@type": "type.googleapis.com/library.v1.Book", copies: "3" },
  };
  assert.deepEqual(bookOf(JSON.stringify(json)), json);
});

test("names and values are taken in their other spellings too", () => {
  assert.deepEqual(requestOf(library, "PATCH", `${BOOK}?allow_missing=true`, "{}"), {
    book: { name: NAME },
    allowMissing: true,
  });
  assert.deepEqual(
    bookOf(
      '{"copies": 9007199254740993, "isbn": 1e3, "pages": "12", "price": "2.5", "theme": 1, "cover": "-_8", "weight": 18446744073709551616}',
    ),
    {
      copies: "9007199254740993",
      isbn: "1000",
      pages: 12,
      price: 2.5,
      theme: "THEME_MYSTERY",
      cover: "+/8=",
      weight: 18446744073709552000,
    },
  );
  assert.deepEqual(
    requestOf(math, "POST", "/api/v1/math/divide", '{"dividend":-9223372036854775808,"divisor":"-1"}'),
    {
      dividend: "-9223372036854775808",
      divisor: "-1",
    },
  );
});

test("null leaves a field unset, and is a value of google.protobuf.Value", () => {
  assert.deepEqual(
    bookOf(
      '{"pages":null,"tags":null,"ratings":null,"printed":null,"person":null,"house":null,"club":7,"note":null}',
    ),
    {
      club: 7,
      note: null,
    },
  );
});

test("all that is wrong in a body is told at once, each with its field's path", () => {
  const faults = faultsOfBook(`{
    "pags": 1, "pages": 3000000000, "copies": 9223372036854775808, "isbn": -1, "theme": "MYSTERY", "cover": "a",
    "price": 1e39, "weight": 1e400, "lent": "true", "tags": [1, null], "sequels": [{}, {"pages": 1.5}],
    "ratings": {"a\\"b": "x"}, "editions": {"x": {"lent": 0}}, "person": "p", "club": 3, "printed": "2026-02-30",
    "loan": "1sec", "subtitle": 1, "extra": [], "note": "\\ud800", "list": {}, "attachment": {"@type": "x/y.Z"},
    "remark": {}, "mask": "a_b", "moods": {"yes": 9}, "house": []
  }`);
  assert.deepEqual(
    faults.map(([field, , reason]) => `${field} ${reason}`),
    [
      "pags json.unknown_field",
      "pages json.range",
      "copies json.range",
      "isbn json.range",
      "theme json.enum",
      "cover json.base64",
      "price json.range",
      "weight json.range",
      "lent json.type",
      "tags[0] json.type",
      "tags[1] json.type",
      "sequels[1].pages json.number",
      'ratings["a\\"b"] json.number',
      "editions[x] json.number",
      "editions[x].lent json.type",
      "club json.oneof",
      "printed json.value",
      "loan json.value",
      "subtitle json.type",
      "extra json.type",
      "note json.unicode",
      "list json.type",
      "attachment.@type json.any",
      "remark json.type",
      "mask json.value",
      "moods[yes] json.type",
      "house json.oneof",
      "house json.type",
    ],
  );
});

test("a fault says what was found and what was expected", () => {
  const said = (json: string) => faultsOfBook(json)[0]?.[1];
  assert.equal(said('{"pags":1}'), "is not known: Book has pages, tags, name");
  assert.equal(
    said('{"pages":2147483648}'),
    "must be a whole number from -2147483648 to 2147483647, but is 2147483648",
  );
  assert.equal(said('{"isbn":"1.5"}'), 'must be a whole number from 0 to 18446744073709551615, but is "1.5"');
  assert.equal(
    said('{"pages":"0x10"}'),
    'must be a whole number from -2147483648 to 2147483647, but is "0x10"',
  );
  assert.equal(said('{"pages":""}'), 'must be a whole number from -2147483648 to 2147483647, but is ""');
  assert.equal(said('{"pages":[]}'), "must be a whole number from -2147483648 to 2147483647, but is a list");
  assert.equal(
    said('{"theme":"MYSTERY"}'),
    'must be a value of Theme, as THEME_MYSTERY, THEME_SCIENCE, THEME_UNSPECIFIED, but is "MYSTERY"',
  );
  assert.equal(said('{"name":7}'), "must be text, but is a number");
  assert.equal(said('{"weight":"1,5"}'), 'must be a number, but is "1,5"');
  assert.equal(said('{"loan":"1"}'), 'must be a duration such as 1.5s, but is "1"');
  assert.equal(
    said('{"loan":"999999999999s"}'),
    "must be a duration of at most 315576000000s either way, but is 999999999999s",
  );
  assert.equal(
    said('{"printed":"yesterday"}'),
    'must be a time such as 2026-01-31T12:00:00Z, but is "yesterday"',
  );
  assert.equal(said('{"person":"a","club":1}'), "cannot stand beside person: at most one field of owner may");
  assert.equal(said("[]"), "must be an object, but is a list");
  assert.deepEqual(faultsOf(math, "POST", "/api/v1/math/sum", '{"vals":[1],"values":2}'), [
    ["values", "is not known: SumRequest has vals", "json.unknown_field"],
  ]);
});

test("a field that is given by both of its names is given twice", () => {
  const search = createRestRouter([
    annotated(methodOf(service, "ListBooks"), { pattern: { case: "post", value: "/v1/search" }, body: "*" }),
  ]);
  assert.deepEqual(faultsOf(search, "POST", "/v1/search", '{"page_size":1,"pageSize":1}'), [
    ["page_size", "is given twice, as page_size and pageSize", "json.twice"],
  ]);
});

test("two keys of a map that are one number are refused", () => {
  assert.match(faultsOfBook('{"editions":{"01":{},"1":{}}}')[0]?.[1] ?? "", /editions .* duplicate map key/);
});

test("a million faults are not told one by one", () => {
  const faults = faultsOf(math, "POST", "/api/v1/math/sum", `{"vals":[${"true,".repeat(1_000_000)}1]}`);
  assert.ok(faults.length > 0 && faults.length <= 100, `${faults.length} faults`);
});

test("a body that is no JSON is refused with line and column", () => {
  assert.deepEqual(faultsOf(math, "POST", "/api/v1/math/sum", '{\n  "vals": [1,]\n}'), [
    ["", 'it is no JSON: line 2, column 14: expected a value, found "]"', "json.syntax"],
  ]);
  assert.deepEqual(faultsOf(library, "PATCH", BOOK, "{"), [
    [
      "book",
      "it is no JSON: line 1, column 2: expected a name in double quotes, found the end",
      "json.syntax",
    ],
  ]);
});

test("a body nested 10,000 deep is refused, in lists, objects and messages", () => {
  for (const [open, close] of [
    ["[", "]"],
    ['{"note":', "}"],
    ['{"sequels":[', "]}"],
  ] as const) {
    const [fault] = faultsOfBook(open.repeat(10_000) + close.repeat(10_000));
    assert.match(fault?.[1] ?? "", /nested more than 100 deep/);
  }
});

test("as deep as JSON may be nested, a message is read", () => {
  const lists = bookOf(`{"note":${"[".repeat(99)}${"]".repeat(99)}}`);
  assert.ok("note" in lists);
  const books = bookOf(`${'{"sequels":['.repeat(49)}{}${"]}".repeat(49)}`);
  assert.ok("sequels" in books);
});

test("a body that is not sent says nothing", () => {
  assert.deepEqual(requestOf(library, "POST", "/v1/books/s"), { shelf: "s" });
  assert.deepEqual(requestOf(library, "PATCH", BOOK, ""), { book: { name: NAME } });
});

test("the body may be a list where the binding's field is one", () => {
  assert.deepEqual(requestOf(library, "POST", "/v1/tags/7", '["a","b"]'), { number: 7, tags: ["a", "b"] });
  assert.deepEqual(faultsOf(library, "POST", "/v1/tags/7", '["a",2]'), [
    ["tags[1]", "must be text, but is a number", "json.type"],
  ]);
});

test("a field of the path may be repeated in the body where it says the same, or its default", () => {
  for (const name of [NAME, ""]) {
    assert.deepEqual(requestOf(library, "PATCH", BOOK, JSON.stringify({ name, pages: 3 })), {
      book: { name: NAME, pages: 3 },
    });
  }
  assert.deepEqual(faultsOf(library, "PATCH", BOOK, '{"name":"shelves/9"}'), [
    ["book.name", "differs from what the path says: expected it in the path only", "url.place"],
  ]);
  assert.deepEqual(
    faultsOf(library, "PATCH", BOOK, '{"name":{"toString":1}}').map(([field]) => field),
    ["book.name", "book.name"],
  );
});

test("a field of the path cannot be repeated in the query with another value", () => {
  assert.deepEqual(faultsOf(library, "GET", "/v1/THEME_MYSTERY/books?filter.theme=THEME_SCIENCE"), [
    ["filter.theme", "differs from what the path says: expected it in the path only", "url.place"],
  ]);
});

test("a part of the path that does not fit its field is refused with the field", () => {
  assert.deepEqual(faultsOf(math, "GET", "/api/v1/math/fibonacci/ten"), [
    ["limit", 'must be a whole number from 0 to 4294967295, but is "ten"', "json.number"],
  ]);
  assert.deepEqual(faultsOf(math, "GET", "/api/v1/math/fibonacci/-1")[0]?.[2], "json.range");
  assert.equal(faultsOf(library, "GET", "/v1/POETRY/books")[0]?.[0], "filter.theme");
  assert.deepEqual(faultsOf(library, "GET", "/v1/files/%ff"), [
    ["path", "is not well encoded in the path: expected %XX of UTF-8", "url.encoding"],
  ]);
});

test("each message of a client's stream has the path's fields", () => {
  const { binding, captures } = found(library, "POST", "/v1/shelves/7/import");
  const message = readMessage(binding, '{"name":"a"}', captures);
  assert.deepEqual(jsonOf(library, binding.method, message), { name: "a", shelf: "7" });
  const list = readArray(binding, '[{"name":"a"},{}]', captures).map((one) =>
    jsonOf(library, binding.method, one),
  );
  assert.deepEqual(list, [{ name: "a", shelf: "7" }, { shelf: "7" }]);
  assert.deepEqual(readArray(binding, "[]", captures), []);
});

test("a message of a client's stream that is wrong is refused", () => {
  const { binding } = found(createRestRouter(Greeter.methods), "POST", "/api/v1/greeter/greetings");
  assert.deepEqual(
    faultsIn(() => readMessage(binding, '{"nam":1}')),
    [["nam", "is not known: HelloRequest has name", "json.unknown_field"]],
  );
  assert.deepEqual(
    faultsIn(() => readArray(binding, '[{},{"nam":1}]')),
    [["[1].nam", "is not known: HelloRequest has name", "json.unknown_field"]],
  );
  assert.deepEqual(
    faultsIn(() => readArray(binding, "{}")),
    [["", "expected a list of messages", "json.syntax"]],
  );
});
