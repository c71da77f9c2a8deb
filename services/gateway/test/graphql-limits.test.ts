import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { getIntrospectionQuery } from "graphql";
import { LIMITS } from "../src/graphql/limits.ts";
import { graphqlFor } from "./support/graphql.ts";
import { greeter, menu } from "./support/services.ts";

const HELLO = '{ greeterSayHello(name: "a") { reply } }';

describe("a document is refused before any call is made", () => {
  let graphql: Awaited<ReturnType<typeof graphqlFor>>;
  let calls = 0;

  before(async () => {
    const echo = (request: object) => {
      calls += 1;
      return request;
    };
    graphql = await graphqlFor(
      greeter({ sayHello: ({ name }) => echo({ reply: name }) }),
      menu({ look: echo }),
    );
  });
  after(() => graphql[Symbol.asyncDispose]());

  const nested = (depth: number) => `${"sides { ".repeat(depth - 2)} count ${"} ".repeat(depth - 2)}`;
  const names = (count: number) => Array.from({ length: count }, (_, at) => `a${at}:vegan`).join(" ");
  const bombs = {
    "that is too deep": [`{ menuLook { ${nested(LIMITS.depth + 1)} } }`, /deep: expected at most 10/],
    "that is too deep by fragments": [
      `{ menuLook { ...a } } ${[..."abcdefghijk"].map((name, at, all) => `fragment ${name} on Plate { sides { ${all[at + 1] ? `...${all[at + 1]}` : "count"} } }`).join(" ")}`,
      /deep: expected at most 10/,
    ],
    "with many aliases": [
      `{ ${Array.from({ length: 60 }, (_, at) => `a${at}: greeterSayHello(name: "a") { reply }`).join(" ")} }`,
      /costs 1320, 1 for each field and 20 more for each call: expected at most 1000/,
    ],
    "with many fields": [`{ menuLook { ${"count ".repeat(1_001)} } }`, /expected at most 1000/],
    "whose fragments double at each step": [
      `{ menuLook { ...f0 } } ${Array.from({ length: 40 }, (_, at) => `fragment f${at} on Plate { a: vegan ...f${at + 1} ...f${at + 1} }`).join(" ")} fragment f40 on Plate { count }`,
      /expected at most 1000/,
    ],
    "with a fragment that nobody uses": [
      `${HELLO} fragment f on Plate { ${"count ".repeat(1_001)} }`,
      /expected at most 1000/,
    ],
    "with too many words": [`{ menuLook(${"a:1 ".repeat(LIMITS.tokens)}`, /more than 2000 tokens/],
    "with brackets inside of brackets": [
      `{ menuLook(votes: ${"[".repeat(1_990)}`,
      /nested too deep|Expected/,
    ],
    "that is too long": [`${HELLO} # ${"x".repeat(LIMITS.characters)}`, /characters: expected at most 16384/],
    "with a fragment inside of itself": [
      "{ menuLook { ...a } } fragment a on Plate { sides { ...a } }",
      /Cannot spread fragment "a" within itself/,
    ],
  } as const;
  for (const [what, [document, words]] of Object.entries(bombs)) {
    test(what, async () => {
      calls = 0;
      const startedAt = performance.now();
      const { data, errors } = await graphql.ask(document);
      assert.equal(data, undefined);
      assert.match(errors?.[0]?.message ?? "", words);
      assert.equal(calls, 0);
      assert.ok(performance.now() - startedAt < 2_000);
      assert.deepEqual((await graphql.ask(HELLO)).data, { greeterSayHello: { reply: "a" } });
    });
  }

  test("but not where it is large within the limits", async () => {
    const { errors } = await graphql.ask(`{ menuLook { ${nested(LIMITS.depth)} ${names(640)} } }`);
    assert.equal(errors, undefined);
  });

  test("nor where it is the one by which tools read the schema", async () => {
    const { data, errors } = await graphql.ask(getIntrospectionQuery());
    assert.equal(errors, undefined);
    assert.ok(data?.__schema);
  });

  test("whose variables are nested without end", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const query = "query ($extras: JSON) { menuLook(extras: $extras) { count } }";
    const answer = await graphql.post(
      `{"query":${JSON.stringify(query)},"variables":{"extras":{"a":${deep}}}}`,
    );
    const { errors } = (await answer.json()) as { errors: { message: string; extensions: object }[] };
    assert.match(errors[0]?.message ?? "", /maximum recursion depth of 100/);
    assert.deepEqual(
      { ...errors[0]?.extensions, details: [] },
      { code: "INVALID_ARGUMENT", grpcStatus: 3, details: [] },
    );
  });
});

describe("a request is refused", () => {
  let graphql: Awaited<ReturnType<typeof graphqlFor>>;
  before(async () => {
    graphql = await graphqlFor(menu({}));
  });
  after(() => graphql[Symbol.asyncDispose]());

  const query = "{ menuLook { count } }";
  test("with a body past 1 MiB, in one piece or in many", async () => {
    const variables = { pad: "x".repeat(1024 * 1024) };
    const body = JSON.stringify({ query, variables });
    assert.equal((await graphql.post(body)).status, 413);
    const inChunks = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(body));
        controller.close();
      },
    });
    const headers = { "content-type": "application/json" };
    // The types of fetch leave out what it needs to send a stream.
    const init = { method: "POST", body: inChunks, headers, duplex: "half" } as RequestInit;
    const answer = await fetch(graphql.url, init);
    assert.equal(answer.status, 413);
  });

  test("with several documents at once", async () => {
    const { status } = await graphql.post(JSON.stringify([{ query }, { query }]));
    assert.equal(status, 400);
  });

  test("with a body that is no JSON, or no document", async () => {
    const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
    for (const body of ["{", "{}", '{"query":7}', '{"query":"{"}']) {
      assert.equal((await graphql.post(body, { headers })).status, 400, body);
    }
  });

  for (const operation of ["mutation { menuOrder { count } }", "subscription { menuWatch { count } }"]) {
    test(`by GET, where it is no query: ${operation}`, async () => {
      const byGet = await fetch(`${graphql.url}?query=${encodeURIComponent(operation)}`, {
        headers: { accept: "application/json, text/event-stream" },
      });
      assert.equal(byGet.status, 405);
      assert.equal(byGet.headers.get("allow"), "POST");
      const byPost = await graphql.post(JSON.stringify({ query: operation }));
      assert.equal(byPost.status, 200);
    });
  }
});
