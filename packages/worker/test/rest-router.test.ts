import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMethod } from "@bufbuild/protobuf";
import { HttpRuleSchema } from "@gantry/proto/google/api/http_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { createRestRouter } from "../src/transport/http/rest/router.ts";
import { contract, methodOf } from "./support/contract.ts";
import { annotated, found, get, problemsOf, whereTo } from "./support/rest.ts";

const library = contract("library.proto").service("library.v1.Library");
const { sayHello } = Greeter.method;
const SAY_HELLO = "greeter.v1.Greeter/SayHello";

function bound(...paths: readonly string[]) {
  return createRestRouter(paths.map((path) => get(sayHello, path)));
}

/** The template that a path leads to. */
function templateOf(router: ReturnType<typeof bound>, path: string): string | undefined {
  return whereTo(router, "GET", path)?.slice(`${SAY_HELLO} GET `.length);
}

function named(name: string): DescMethod {
  return methodOf(library, name);
}

test("a path that no template fits leads nowhere", () => {
  const router = bound("/v1/people/{name}", "/v1/{name}:greet");
  for (const path of [
    "",
    "/",
    "/v1",
    "/v1/people",
    "/v1/people/",
    "/v1/people/a/b",
    "/v1/people/a/",
    "/v1//people/a",
    "/v2/people/a",
    "v1/people/a",
    "/v1/x:wave",
    "/V1/people/a",
  ]) {
    assert.equal(whereTo(router, "GET", path), undefined, path);
  }
});

test("a path that has other verbs tells them, with HEAD where there is GET", () => {
  const router = createRestRouter(library.methods);
  assert.equal(whereTo(router, "POST", "/v1/shelves/1/books/2"), "only GET, HEAD, PATCH, PUT");
  assert.equal(whereTo(router, "GET", "/v1/shelves/1/import"), "only POST");
});

test("every path that a verb could lead to is looked at, not the likest alone", () => {
  const router = createRestRouter(Greeter.methods);
  assert.equal(
    whereTo(router, "POST", "/api/v1/greeter/chat"),
    "greeter.v1.Greeter/BidiHello POST /api/v1/greeter/chat",
  );
  assert.equal(whereTo(router, "GET", "/api/v1/greeter/chat"), `${SAY_HELLO} GET /api/v1/greeter/{name}`);
  assert.equal(whereTo(router, "DELETE", "/api/v1/greeter/chat"), "only GET, HEAD, POST");
});

test("HEAD leads to where GET does", () => {
  assert.equal(whereTo(bound("/a"), "HEAD", "/a"), `${SAY_HELLO} GET /a`);
});

test("a custom verb is a verb, and * stands for every verb that has no binding of its own", () => {
  const all = annotated(sayHello, { pattern: { case: "custom", value: { kind: "*", path: "/a" } } });
  const router = createRestRouter([all, get(sayHello, "/a"), named("PurgeCache")]);
  assert.equal(whereTo(router, "PURGE", "/v1/cache"), "library.v1.Library/PurgeCache PURGE /v1/cache");
  assert.equal(whereTo(router, "GET", "/a"), `${SAY_HELLO} GET /a`);
  assert.equal(whereTo(router, "DELETE", "/a"), `${SAY_HELLO} * /a`);
});

test("a literal goes before *, and * before **, from left to right", () => {
  const router = bound("/a/b/c", "/a/b/*", "/a/*/c", "/a/*/*", "/a/**", "/**", "/a");
  assert.equal(templateOf(router, "/a/b/c"), "/a/b/c");
  assert.equal(templateOf(router, "/a/b/x"), "/a/b/*");
  assert.equal(templateOf(router, "/a/x/c"), "/a/*/c");
  assert.equal(templateOf(router, "/a/x/y"), "/a/*/*");
  assert.equal(templateOf(router, "/a/x/y/z"), "/a/**");
  assert.equal(templateOf(router, "/a/"), "/a/**");
  assert.equal(templateOf(router, "/a"), "/a");
  assert.equal(templateOf(router, "/x"), "/**");
  assert.equal(templateOf(router, "/"), "/**");
});

test("a way that leads nowhere is left for the next", () => {
  const router = bound("/a/b/c/d", "/a/*/c/e", "/*/b/**");
  assert.equal(templateOf(router, "/a/b/c/e"), "/a/*/c/e");
  assert.equal(templateOf(router, "/a/b/c/f"), "/*/b/**");
});

test("what stands behind the last colon is a verb where a template has it, and part of the segment elsewhere", () => {
  const router = bound("/v1/{name}", "/v1/{name}:greet", "/v1/{name=a/**}:wave", "/v1/a:b/c");
  assert.equal(templateOf(router, "/v1/x:greet"), "/v1/{name}:greet");
  assert.equal(templateOf(router, "/v1/x:y:greet"), "/v1/{name}:greet");
  assert.equal(templateOf(router, "/v1/x:other"), "/v1/{name}");
  assert.equal(templateOf(router, "/v1/x%3Agreet"), "/v1/{name}");
  assert.equal(templateOf(router, "/v1/a/b/c:wave"), "/v1/{name=a/**}:wave");
  assert.equal(templateOf(router, "/v1/a:b/c"), "/v1/a:b/c");
  const [capture] = found(router, "GET", "/v1/x:y:greet").captures;
  assert.equal(capture?.raw, "x:y");
});

test("literals are the same whether or not they are percent-encoded", () => {
  const router = bound("/caf%C3%A9/七/a%2Fb");
  for (const path of ["/café/七/a%2Fb", "/caf%c3%a9/%E4%B8%83/%61%2fb"]) {
    assert.equal(templateOf(router, path), "/caf%C3%A9/七/a%2Fb", path);
  }
  assert.equal(templateOf(router, "/café/七/a/b"), undefined);
});

test("a path that is not well encoded leads to where it may be refused", () => {
  const router = bound("/a/{name}");
  assert.equal(templateOf(router, "/a/%zz"), "/a/{name}");
  assert.equal(templateOf(router, "/%zz/a"), undefined);
});

test("a path takes no longer than the tree is large, however many ways there are", () => {
  // Each level has a literal and a *, and no path ends: tried one after the other there would be 2^20 ways.
  const ways = Array.from({ length: 20 }, (_, at) => `${"/a".repeat(at)}/*${"/a".repeat(20 - at)}/end`);
  const router = bound(...ways);
  const started = process.cpuUsage();
  for (let times = 0; times < 100; times += 1) whereTo(router, "GET", "/a".repeat(4_000));
  const { user } = process.cpuUsage(started);
  assert.ok(user < 1_000_000, `100 paths took ${user / 1_000} ms`);
});

test("methods without an annotation have no binding, and additional bindings stand behind their first", () => {
  const { bindings } = createRestRouter([named("GetBook"), named("Whisper")]);
  assert.deepEqual(
    bindings.map(({ name }) => name),
    [
      "library.v1.Library/GetBook GET /v1/{name=shelves/*/books/*}",
      "library.v1.Library/GetBook GET /v1/isbn/{isbn}",
    ],
  );
});

test("two bindings that take the same requests are refused, both named, whatever their variables are called", () => {
  const [getBook, archive] = [named("GetBook"), named("ArchiveBook")];
  assert.deepEqual(problemsOf(get(getBook, "/a/{name}"), get(archive, "/a/{isbn=*}")), [
    "library.v1.Library/GetBook GET /a/{name} and library.v1.Library/ArchiveBook GET /a/{isbn=*} take the same requests: expected one of them",
  ]);
  assert.equal(problemsOf(get(getBook, "/{name=a/*}"), get(archive, "/a/{isbn}")).length, 1);
  assert.equal(problemsOf(get(getBook, "/{name=**}:x"), get(archive, "/**:x")).length, 1);
  assert.equal(problemsOf(get(getBook, "/%61"), get(archive, "/a")).length, 1);
  assert.deepEqual(problemsOf(get(getBook, "/a/*"), get(archive, "/a/b"), get(sayHello, "/a/*:b")), []);
});

test("all that is wrong with bindings is told at once, each with its method and binding", () => {
  const problems = problemsOf(
    get(sayHello, "a"),
    get(sayHello, "/{name"),
    annotated(sayHello, { pattern: { case: "put", value: "/x" }, body: "nmae" }),
    get(sayHello, "/b"),
    get(sayHello, "/b"),
  );
  assert.deepEqual(problems, [
    `${SAY_HELLO} GET a: expected a path that starts with "/"`,
    `${SAY_HELLO} GET /{name: {name is no variable: expected {field} or {field=segments}, and none in another`,
    `${SAY_HELLO} PUT /x: body: "nmae" is not known: HelloRequest has name`,
    `${SAY_HELLO} GET /b and ${SAY_HELLO} GET /b take the same requests: expected one of them`,
  ]);
});

test("templates outside of the grammar are refused", () => {
  for (const path of [
    "",
    "a",
    "//",
    "/a/",
    "/a//b",
    "/**/a",
    "/{name=**}/a",
    "/{name=a/**/b}",
    "/{name={name}}",
    "/{name=}",
    "/{}",
    "/{=a}",
    "/a{name}",
    "/{name}b",
    "/a*",
    "/***",
    "/{name=/a}",
    "/a:",
    "/a?b",
    "/a b",
    "/a%2",
    "/{na me}",
    "/{name}:a*",
    "/}",
    "/a#b",
  ]) {
    assert.equal(problemsOf(get(sayHello, path)).length, 1, path);
  }
  for (const path of [
    "/",
    "/*",
    "/**",
    "/a/*/**:b",
    "/{name=a/*/b/**}:c",
    "/a:b/c",
    "/a.b-c_d~e!$&'()+,;=@",
  ]) {
    assert.deepEqual(problemsOf(get(sayHello, path)), [], path);
  }
});

test("a path variable is a scalar or an enum that is there and not repeated", () => {
  const list = named("ListBooks");
  const refused = (path: string) => problemsOf(get(list, path))[0]?.replace(/^\S+ GET /, "");
  assert.deepEqual(problemsOf(get(list, "/{filter.theme}/{token}/{exact}/{filter.parent.author_name}")), []);
  assert.equal(
    refused("/{words}"),
    "/{words}: {words} is a list: expected a scalar or an enum that is not repeated",
  );
  assert.match(refused("/{labels}") ?? "", /is a map/);
  assert.match(refused("/{filter}") ?? "", /is a message \(Filter\)/);
  assert.match(refused("/{least_pages}") ?? "", /is a message \(Int64Value\)/);
  assert.match(refused("/{since.seconds}") ?? "", /since has no fields of its own in JSON/);
  assert.match(refused("/{like.name}") ?? "", /like has no fields of its own/);
  assert.match(refused("/{filter.thme}") ?? "", /thme is not known: Filter has theme/);
  assert.match(refused("/{page_size}/{page_size}") ?? "", /\{page_size\} has two places in the request/);
});

test("bodies and annotations that cannot be are refused", () => {
  const [update, createBook] = [named("UpdateBook"), named("CreateBook")];
  const one = (method: DescMethod, rule: Parameters<typeof annotated>[1]) =>
    problemsOf(annotated(method, rule)).join();
  const post = { case: "post", value: "/a" } as const;
  assert.match(one(update, { pattern: { case: "get", value: "/a" }, body: "*" }), /GET has no body/);
  assert.match(one(update, { pattern: post, body: "book.name" }), /body: "book.name" is not known/);
  assert.match(
    one(update, { pattern: post, responseBody: "nme" }),
    /response_body: "nme" is not known: Book has name/,
  );
  assert.match(
    one(createBook, { pattern: { ...post, value: "/{name}" }, body: "name" }),
    /\{name\} has two places/,
  );
  assert.match(one(update, {}), /expected one of get, put, post, delete, patch, custom/);
  assert.match(
    one(update, { pattern: { case: "custom", value: { kind: "P T", path: "/" } } }),
    /"P T" is no HTTP method/,
  );
  assert.match(one(named("ImportBooks"), { pattern: post }), /the requests of a stream come in a body/);
  const pattern = { case: "get", value: "/b" } as const;
  const additional = create(HttpRuleSchema, { pattern, additionalBindings: [create(HttpRuleSchema)] });
  assert.match(
    one(update, { pattern: post, additionalBindings: [additional] }),
    /must not have additional bindings/,
  );
});
