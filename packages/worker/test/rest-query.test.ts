import assert from "node:assert/strict";
import { test } from "node:test";
import { createRestRouter } from "../src/transport/http/rest/router.ts";
import { contract } from "./support/contract.ts";
import { faultsOf, requestOf } from "./support/rest.ts";

const library = createRestRouter(contract("library.proto").service("library.v1.Library").methods);

/** What a query says, beside the theme that the path has. */
function said(query: string) {
  const request = requestOf(library, "GET", `/v1/THEME_UNSPECIFIED/books?${query}`);
  assert.ok(request && typeof request === "object" && !Array.isArray(request));
  const { filter, ...rest } = request;
  assert.deepEqual(filter, {});
  return rest;
}

function faults(query: string): string[][] {
  return faultsOf(library, "GET", `/v1/THEME_UNSPECIFIED/books?${query}`);
}

test("scalars, enums and what has a text of its own are read", () => {
  assert.deepEqual(
    said(
      "page_size=7&exact=false&weight=-1.5e3&card=9223372036854775807&token=_-8%3D&lent=true&least_pages=0" +
        "&since=2026-01-31T12:00:00Z&within=1.5s&read_mask=a,b.c",
    ),
    {
      pageSize: 7,
      exact: false,
      weight: -1500,
      card: "9223372036854775807",
      token: "/+8=",
      lent: true,
      leastPages: "0",
      since: "2026-01-31T12:00:00Z",
      within: "1.500s",
      readMask: "a,b.c",
    },
  );
});

test("names are taken as in the proto and in JSON, those in a field mask too", () => {
  assert.deepEqual(said("pageSize=1&readMask=author_name,pageSize"), {
    pageSize: 1,
    readMask: "authorName,pageSize",
  });
});

test("a repeated field is repeated, and an enum is named or numbered", () => {
  assert.deepEqual(said("words=a&themes=THEME_SCIENCE&words=&themes=1&words=a"), {
    words: ["a", "", "a"],
    themes: ["THEME_SCIENCE", "THEME_MYSTERY"],
  });
});

test("fields of fields are named with dots, however deep", () => {
  assert.deepEqual(
    requestOf(
      library,
      "GET",
      "/v1/THEME_MYSTERY/books?filter.author_name=x&filter.parent.parent.authorName=y",
    ),
    { filter: { theme: "THEME_MYSTERY", authorName: "x", parent: { parent: { authorName: "y" } } } },
  );
  const deep = `filter.${"parent.".repeat(200)}theme=1`;
  assert.equal(faults(deep)[0]?.[2], "url.unknown_parameter");
});

test("names and values are percent-decoded, and empty pairs skipped", () => {
  assert.deepEqual(said("&reader=%E4%B8%83+%26%3D=b&&%70ageSize=1&"), { reader: "七 &==b", pageSize: 1 });
  assert.deepEqual(said("reader"), { reader: "" });
});

test("a parameter that is no field is refused with the nearest that are", () => {
  assert.deepEqual(faults("page_sice=1"), [
    ["page_sice", "is not known: ListBooksRequest has page_size, since, labels", "url.unknown_parameter"],
  ]);
  const refused = faults("filter.author=x&page.size=1&=1&__proto__=1&constructor.name=1");
  assert.deepEqual(
    refused.map(([field, , reason]) => `${field} ${reason}`),
    ["filter.author", "page.size", "", "__proto__", "constructor.name"].map(
      (name) => `${name} url.unknown_parameter`,
    ),
  );
});

test("what no query can say is refused: messages, lists and maps of them", () => {
  assert.deepEqual(
    faults(
      "filter=x&labels=x&labels.a=x&like=x&like.name=x&extra=x&extra.fields=x&words.x=1&since.seconds=1",
    ),
    [
      [
        "filter",
        "is a message (Filter), which no query parameter can be: name one of its fields",
        "url.place",
      ],
      ["labels", "is a map, which no query parameter can be", "url.place"],
      ["labels.a", "is not known: labels is a map, without fields here", "url.unknown_parameter"],
      ["like", "is a list of messages, which no query parameter can be", "url.place"],
      ["like.name", "is not known: like is a list of messages, without fields here", "url.unknown_parameter"],
      ["extra", "is a message (Struct), which no query parameter can be", "url.place"],
      [
        "extra.fields",
        "is not known: extra is a message (Struct), without fields here",
        "url.unknown_parameter",
      ],
      ["words.x", "is not known: words is a list, without fields here", "url.unknown_parameter"],
      [
        "since.seconds",
        "is not known: since is a message (Timestamp), without fields here",
        "url.unknown_parameter",
      ],
    ],
  );
});

test("what is not repeated is given once, under either name", () => {
  const twice = "is given more than once, and is not repeated";
  assert.deepEqual(faults("page_size=1&pageSize=1"), [["pageSize", twice, "url.twice"]]);
  assert.deepEqual(faults("exact=false&exact=false"), [["exact", twice, "url.twice"]]);
});

test("of fields that exclude each other one is given", () => {
  assert.deepEqual(faults("reader=a&card=1"), [
    ["card", "cannot stand beside reader: at most one field of who may", "json.oneof"],
  ]);
});

test("values that do not fit are refused, all at once", () => {
  assert.deepEqual(
    faults(
      "page_size=0x1&exact=1&weight=a&card=&token=%21&lent=yes&least_pages=1.5&since=now&within=5&themes=X&words=%ff",
    ).map(([field, , reason]) => `${field} ${reason}`),
    [
      "words url.encoding",
      "page_size json.number",
      "exact json.type",
      "weight json.number",
      "card json.number",
      "token json.base64",
      "lent json.type",
      "least_pages json.number",
      "since json.value",
      "within json.value",
      "themes[0] json.enum",
    ],
  );
});

test("what is in the body is not in the query", () => {
  assert.deepEqual(faultsOf(library, "POST", "/v1/tags/1?tags=a", "[]"), [
    ["tags", "must not be in the query: the body is tags", "url.place"],
  ]);
});
