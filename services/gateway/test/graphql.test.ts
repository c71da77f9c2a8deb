import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Code, errorInfo, RpcError } from "@gantry/rpc";
import { graphqlFor } from "./support/graphql.ts";
import { greeter, math } from "./support/services.ts";

describe("a query", () => {
  test("asks several services for just the fields that it wants, in one request", async () => {
    await using graphql = await graphqlFor(
      greeter({ sayHello: ({ name }) => ({ reply: `Hello ${name}` }) }),
      math({ divide: () => ({ quotient: 2n ** 62n, remainder: 1n }) }),
    );
    const { data } = await graphql.ask(
      '{ one: greeterSayHello(name: "七米") { reply } two: greeterSayHello(name: "b") { reply } mathDivide(divisor: 2) { quotient } }',
    );
    assert.deepEqual(data, {
      one: { reply: "Hello 七米" },
      two: { reply: "Hello b" },
      mathDivide: { quotient: "4611686018427387904" },
    });
  });

  test("that fails in part has the rest, and an error with gRPC's code and details", async () => {
    const refused = new RpcError(Code.ResourceExhausted, "Too many.", [errorInfo("QUOTA", "gantry.dev")]);
    await using graphql = await graphqlFor(
      greeter({
        sayHello: () => {
          throw refused;
        },
      }),
      math({ version: () => ({ val: "1" }) }),
    );
    const { data, errors } = await graphql.ask(
      '{ greeterSayHello(name: "a") { reply } mathVersion { val } }',
    );
    assert.deepEqual(data, { greeterSayHello: null, mathVersion: { val: "1" } });
    const [error] = errors ?? [];
    assert.equal(error?.message, "Too many.");
    assert.deepEqual(error?.extensions, {
      code: "RESOURCE_EXHAUSTED",
      grpcStatus: 8,
      details: [
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "QUOTA", domain: "gantry.dev" },
      ],
    });
  });

  test("passes on who calls, and how long it may take", async () => {
    await using graphql = await graphqlFor(
      greeter({
        sayHello: (_, { metadata, deadline }) => {
          const keys = ["authorization", "appid", "x-tenant"].map((key) => metadata.get(key));
          return { reply: JSON.stringify([...keys, deadline !== undefined && deadline - Date.now() <= 700]) };
        },
      }),
    );
    const headers = { authorization: "Bearer a", appid: "b", "x-tenant": "c", "grpc-timeout": "700m" };
    const { data } = await graphql.ask('{ greeterSayHello(name: "a") { reply } }', {}, headers);
    assert.deepEqual(data, { greeterSayHello: { reply: '["Bearer a","b","c",true]' } });
  });

  test("that its client leaves cancels the call", async () => {
    const leaving = new AbortController();
    const left = Promise.withResolvers<void>();
    await using graphql = await graphqlFor(
      greeter({
        sayHello: async (_, { signal }) => {
          leaving.abort();
          await once(signal, "abort");
          left.resolve();
          return {};
        },
      }),
    );
    const query = JSON.stringify({ query: '{ greeterSayHello(name: "a") { reply } }' });
    const headers = { "content-type": "application/json" };
    await assert.rejects(graphql.post(query, { headers, signal: leaving.signal }), { name: "AbortError" });
    await left.promise;
  });
});

test("a mutation streams a list of requests, and mutations run one after the other", async () => {
  let running = 0;
  await using graphql = await graphqlFor(
    math({
      accumulate: async (requests) => {
        running += 1;
        assert.equal(running, 1);
        let sum = 0;
        for await (const { val } of requests) sum += val;
        running -= 1;
        return { sum };
      },
    }),
  );
  const { data } = await graphql.ask(
    `mutation ($vals: [AccumulateRequestInput!]!) {
      one: mathAccumulate(requests: $vals) { sum }
      two: mathAccumulate(requests: [{ val: 1 }, { val: -2.5 }]) { sum }
    }`,
    { vals: [{ val: 1 }, { val: 2 }] },
  );
  assert.deepEqual(data, { one: { sum: 3 }, two: { sum: -1.5 } });
});

describe("a subscription", () => {
  test("streams responses as server-sent events", async () => {
    await using graphql = await graphqlFor(
      math({
        runningSum: async function* (requests) {
          for await (const { val } of requests) yield { val: val * 2n };
        },
      }),
    );
    const query =
      'subscription { mathRunningSum(requests: [{ val: 1 }, { val: "-9007199254740993" }]) { val } }';
    const results = await Array.fromAsync(graphql.subscribe(query));
    assert.deepEqual(
      results.map(({ data }) => data),
      [{ mathRunningSum: { val: "2" } }, { mathRunningSum: { val: "-18014398509481986" } }],
    );
  });

  test("ends with the error of its call, behind what came before it", async () => {
    await using graphql = await graphqlFor(
      greeter({
        lotsOfReplies: async function* () {
          yield { reply: "one" };
          throw new RpcError(Code.Unavailable, "The worker went away.");
        },
      }),
    );
    const query = 'subscription { greeterLotsOfReplies(name: "a") { reply } }';
    const [first, second, ...more] = await Array.fromAsync(graphql.subscribe(query));
    assert.deepEqual(first?.data, { greeterLotsOfReplies: { reply: "one" } });
    assert.equal(second?.errors?.[0]?.extensions?.code, "UNAVAILABLE");
    assert.deepEqual(more, []);
  });

  test("that its client leaves cancels the call, even one that waits", async () => {
    const left = Promise.withResolvers<void>();
    await using graphql = await graphqlFor(
      greeter({
        lotsOfReplies: async function* (_, { signal }) {
          signal.addEventListener("abort", () => left.resolve());
          yield { reply: "one" };
          await new Promise(() => {});
        },
      }),
    );
    const leaving = new AbortController();
    const query = 'subscription { greeterLotsOfReplies(name: "a") { reply } }';
    const results = graphql.subscribe(query, leaving.signal);
    await results.next();
    leaving.abort();
    await left.promise;
    await assert.rejects(results.next(), { name: "AbortError" });
  });

  test("is not read further than its client reads", async () => {
    let made = 0;
    const waits = Promise.withResolvers<void>();
    await using graphql = await graphqlFor(
      greeter({
        lotsOfReplies: async function* (_, { signal }) {
          const reply = "x".repeat(64 * 1024);
          signal.addEventListener("abort", () => waits.resolve());
          for (; made < 10_000; made += 1) yield { reply };
        },
      }),
    );
    const leaving = new AbortController();
    const answer = await graphql.post(
      JSON.stringify({ query: 'subscription { greeterLotsOfReplies(name: "a") { reply } }' }),
      {
        headers: { "content-type": "application/json", accept: "text/event-stream" },
        signal: leaving.signal,
      },
    );
    const { promise: read, resolve } = Promise.withResolvers<void>();
    // Reads a little, and then no more: what is made meanwhile fills buffers of limited size.
    await answer.body?.getReader().read();
    setImmediate(resolve);
    await read;
    leaving.abort();
    await waits.promise;
    assert.ok(made < 5_000, `${made} replies of 64 KiB were made for a client that does not read`);
  });
});

test("a fault of the gateway's own is a neutral sentence to callers", async () => {
  await using graphql = await graphqlFor(
    greeter({
      sayHello: () => {
        throw new TypeError("a secret of the handler");
      },
    }),
  );
  const { errors } = await graphql.ask('{ greeterSayHello(name: "a") { reply } }');
  assert.equal(errors?.[0]?.extensions?.code, "INTERNAL");
  assert.doesNotMatch(JSON.stringify(errors), /secret/);
});

test("GraphiQL comes with all that it needs", async () => {
  await using graphql = await graphqlFor(greeter({}));
  const page = await (await fetch(graphql.url, { headers: { accept: "text/html" } })).text();
  assert.match(page, /YogaGraphiQL\.renderYogaGraphiQL/);
  assert.doesNotMatch(page.slice(0, 2_000), /<(?:script|link)[^>]*(?:src|href)="http/);
});
