import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createClient } from "@gantry/client";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { Code, errorInfo, Metadata, RpcError } from "@gantry/rpc";
import type { CallContext } from "@gantry/worker";
import { gatewayAndWorker, JSON_BODY } from "./support/upstream.ts";

test("GET /rpc greets as plain text", async () => {
  await using gateway = await gatewayAndWorker({
    greeter: { sayHello: ({ name }) => ({ reply: `Hello ${name}` }) },
  });
  const answer = await fetch(`${gateway.url}/rpc?name=${encodeURIComponent("七米")}`);
  assert.equal(await answer.text(), "Response from gRPC server: Hello 七米");
  assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; charset=utf-8/);
  assert.equal(answer.headers.get("x-powered-by"), null);
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
});

test("every method is there by REST, of every worker", async () => {
  await using gateway = await gatewayAndWorker({
    greeter: {
      sayHello: ({ name }) => ({ reply: name }),
      lotsOfReplies: async function* ({ name }) {
        yield { reply: `${name}1` };
        yield { reply: `${name}2` };
      },
      lotsOfGreetings: async (requests) => {
        let reply = "";
        for await (const { name } of requests) reply += name;
        return { reply };
      },
      bidiHello: async function* (requests) {
        for await (const { name } of requests) yield { reply: name };
      },
    },
    math: {
      sum: ({ vals }) => ({ val: vals.reduce((sum, val) => sum + val, 0) }),
      version: () => ({ val: "1" }),
      divide: () => ({ quotient: 1n, remainder: 2n }),
      fibonacci: async function* () {
        yield { val: 1n };
      },
      accumulate: async (requests) => ({ count: BigInt((await Array.fromAsync(requests)).length) }),
      runningSum: async function* (requests) {
        for await (const { val } of requests) yield { val };
      },
    },
  });
  const ask = async (path: string, body?: string) => {
    const answer = await fetch(`${gateway.url}${path}`, body === undefined ? {} : { ...JSON_BODY, body });
    return {
      status: answer.status,
      lines: (await answer.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    };
  };
  const answers = {
    sayHello: await ask("/api/v1/greeter/a"),
    lotsOfReplies: await ask("/api/v1/greeter/a/replies"),
    lotsOfGreetings: await ask("/api/v1/greeter/greetings", '[{"name":"a"},{"name":"b"}]'),
    bidiHello: await ask("/api/v1/greeter/chat", '[{"name":"a"},{"name":"b"}]'),
    sum: await ask("/api/v1/math/sum", '{"vals":[1,2,3]}'),
    version: await ask("/api/v1/math/version"),
    divide: await ask("/api/v1/math/divide", "{}"),
    fibonacci: await ask("/api/v1/math/fibonacci/1"),
    accumulate: await ask("/api/v1/math/accumulate", '[{"val":1},{"val":2}]'),
    runningSum: await ask("/api/v1/math/running-sum", '[{"val":1},{"val":2}]'),
  };
  const ok = (...lines: object[]) => ({ status: 200, lines });
  const zeros = { sum: 0, minimum: 0, maximum: 0, mean: 0 };
  assert.deepEqual(answers, {
    sayHello: ok({ reply: "a" }),
    lotsOfReplies: ok({ reply: "a1" }, { reply: "a2" }),
    lotsOfGreetings: ok({ reply: "ab" }),
    bidiHello: ok({ reply: "a" }, { reply: "b" }),
    sum: ok({ val: 6 }),
    version: ok({ val: "1" }),
    divide: ok({ quotient: "1", remainder: "2" }),
    fibonacci: ok({ val: "1" }),
    accumulate: ok({ count: "2", ...zeros }),
    runningSum: ok({ val: "1" }, { val: "2" }),
  });
});

test("a call goes to the worker with who makes it, its trace and what is left of its time", async () => {
  await using gateway = await gatewayAndWorker({
    greeter: {
      sayHello: (_, { metadata, trace, deadline }) => {
        const keys = [
          "authorization",
          "appid",
          "appkey",
          "x-tenant",
          "x-forwarded-for",
          "cookie",
          "user-secret",
        ];
        const values = keys.map((key) => metadata.get(key) ?? null);
        return {
          reply: JSON.stringify([
            ...values,
            trace.traceId,
            deadline !== undefined && deadline - Date.now() <= 900,
          ]),
        };
      },
    },
  });
  const answer = await fetch(`${gateway.url}/rpc?name=a`, {
    headers: {
      authorization: "Bearer a",
      appid: "b",
      appkey: "c",
      "x-tenant": "d",
      "x-forwarded-for": "203.0.113.7",
      cookie: "e=f",
      "user-secret": "g",
      "grpc-timeout": "900m",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    },
  });
  const text = (await answer.text()).replace("Response from gRPC server: ", "");
  const expected = [
    "Bearer a",
    "b",
    "c",
    "d",
    "127.0.0.1",
    null,
    null,
    "0af7651916cd43dd8448eb211c80319c",
    true,
  ];
  assert.deepEqual(JSON.parse(text), expected);
});

test("a worker gets the time that its caller asks for, be it more than the method's default", async () => {
  const leftMs = ({ deadline = 0 }: CallContext) => ({ reply: String(deadline - Date.now()) });
  await using gateway = await gatewayAndWorker({
    greeter: {
      sayHello: (_, call) => leftMs(call),
      lotsOfReplies: async function* (_, call) {
        yield leftMs(call);
      },
    },
  });
  for (const [path, timeoutMs] of [
    ["/api/v1/greeter/a", 9_000],
    ["/api/v1/greeter/a/replies", 50_000],
  ] as const) {
    const headers = { "grpc-timeout": `${timeoutMs}m` };
    const answer = await fetch(`${gateway.url}${path}`, { headers });
    // Replies of this contract have nothing but text.
    const { reply } = (await answer.json()) as { reply: string };
    assert.ok(Number(reply) > timeoutMs - 5_000 && Number(reply) <= timeoutMs, `${path}: ${reply} ms`);
  }
});

test("headers, trailers and errors with their details come back", async () => {
  await using gateway = await gatewayAndWorker({
    greeter: {
      sayHello: (_, { headers, trailers }) => {
        headers.set("location", "here");
        trailers.set("timestamp", "7");
        return { reply: "a" };
      },
      lotsOfReplies: async function* (_, { headers, trailers }) {
        headers.set("location", "here");
        yield { reply: "a" };
        trailers.set("timestamp", "7");
        throw new RpcError(Code.Aborted, "No more.", [errorInfo("NO_MORE", "gantry.dev")], {
          metadata: new Metadata([["grpc-retry-pushback-ms", "5"]]),
        });
      },
    },
  });
  await using client = createClient(Greeter, gateway.target);
  const seen: Metadata[] = [];
  const options = {
    onHeaders: (metadata: Metadata) => seen.push(metadata),
    onTrailers: (metadata: Metadata) => seen.push(metadata),
  };
  await client.sayHello({ name: "a" }, options);
  assert.equal(seen[0]?.get("location"), "here");
  assert.deepEqual(seen[1]?.getAll("timestamp"), ["7"]);

  const stream = client.lotsOfReplies({ name: "a" }, options)[Symbol.asyncIterator]();
  assert.equal((await stream.next()).value?.reply, "a");
  assert.equal(seen[2]?.get("location"), "here");
  await assert.rejects(stream.next(), (error) => {
    assert.ok(error instanceof RpcError);
    assert.equal(error.toStatus().details.length, 1);
    assert.deepEqual(error.metadata.getAll("timestamp"), ["7"]);
    assert.deepEqual(error.metadata.getAll("grpc-retry-pushback-ms"), ["5"]);
    return error.code === Code.Aborted;
  });
});

test("who leaves the gateway leaves the worker", async () => {
  const begun = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  await using gateway = await gatewayAndWorker({
    greeter: {
      sayHello: async (_, { signal }) => {
        begun.resolve();
        await once(signal, "abort");
        left.resolve();
        return {};
      },
    },
  });
  const leaving = new AbortController();
  const answer = fetch(`${gateway.url}/rpc?name=a`, { signal: leaving.signal });
  await begun.promise;
  leaving.abort();
  await assert.rejects(answer, { name: "AbortError" });
  await left.promise;
});

test("paths that are none are told so in JSON", async () => {
  await using gateway = await gatewayAndWorker({});
  for (const [path, status] of [
    ["/no/such", 404],
    ["/rpc?name=a&name=b", 400],
    ["/graphql/%zz", 404],
  ] as const) {
    const answer = await fetch(`${gateway.url}${path}`);
    assert.equal(answer.status, status, path);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
  }
  const wrongVerb = await fetch(`${gateway.url}/api/v1/math/sum`);
  assert.equal(wrongVerb.status, 405);
  const index = (await (await fetch(gateway.url)).json()) as { name: string };
  assert.equal(index.name, "gateway");
});

test("GraphQL is read from JSON alone, which no form can send", async () => {
  await using gateway = await gatewayAndWorker({});
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=a",
    "application/graphql",
  ]) {
    const body = '{"query":"{ mathVersion { val } }"}';
    const answer = await fetch(`${gateway.url}/graphql`, {
      method: "POST",
      body,
      headers: { "content-type": type },
    });
    assert.equal(answer.status, 415, type);
  }
});

test("pages of listed origins may read answers, others may not", async () => {
  await using gateway = await gatewayAndWorker({}, { gateway: { CORS_ORIGINS: "https://shop.example" } });
  for (const path of [
    "/rpc?name=a",
    "/graphql",
    "/api/v1/math/version",
    "/socket.io/?EIO=4&transport=polling",
  ]) {
    const allowed = async (origin: string) =>
      (await fetch(`${gateway.url}${path}`, { headers: { origin } })).headers.get(
        "access-control-allow-origin",
      );
    assert.equal(await allowed("https://shop.example"), "https://shop.example", path);
    assert.equal(await allowed("https://evil.example"), null, path);
  }
});

test("calls count by the way that they came", async () => {
  await using gateway = await gatewayAndWorker({
    greeter: { sayHello: ({ name }) => ({ reply: name }) },
    math: { version: () => ({ val: "1" }) },
  });
  await using client = createClient(MathService, gateway.target);
  await client.version({});
  await fetch(`${gateway.url}/rpc?name=a`);
  const query = JSON.stringify({ query: "{ mathVersion { val } }" });
  await fetch(`${gateway.url}/graphql`, { ...JSON_BODY, body: query });
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  const counted = (name: string, ...labels: string[]) =>
    metrics
      .split("\n")
      .find((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)));
  assert.match(counted("gantry_calls_total", 'protocol="graphql"', '"Version"') ?? "", / 1$/);
  assert.match(counted("gantry_calls_total", 'protocol="grpc"', '"Version"') ?? "", / 1$/);
  assert.match(counted("gantry_calls_total", 'protocol="rest"', '"SayHello"') ?? "", / 1$/);
  assert.match(counted("grpc_client_handled_total", '"Version"', 'grpc_code="OK"') ?? "", / [1-9]\d*$/);
});
