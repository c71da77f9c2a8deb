import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { createRegistry, fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { file_google_rpc_error_details } from "@gantry/proto/google/rpc/error_details_pb.js";
import { StatusSchema } from "@gantry/proto/google/rpc/status_pb.js";
import { type Metadata, status } from "@grpc/grpc-js";
import { type Edge, needsEdge, startEdge } from "./support/edge.ts";
import { statusIn } from "./support/error-details.ts";
import { callByWeb, type WebAnswer } from "./support/grpc-web.ts";
import { connect, type Message, type Methods, serviceOf } from "./support/plain-client.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
const math = serviceOf("math/v1/math.proto", "math.v1.Math");

/** The same call by each way in. Envoy's answer is the worker's own by the same protocol. */
interface Row {
  readonly what: string;
  readonly service: Methods;
  readonly method: string;
  /** A list: of a method that streams them, which gRPC-Web cannot. */
  readonly request: Message | readonly Message[];
  /** By REST: `GET /path`. */
  readonly rest: string;
  readonly body?: string;
  readonly httpStatus: number;
}

const ROWS: readonly Row[] = [
  {
    what: "a greeting",
    service: greeter,
    method: "SayHello",
    request: { name: "七米" },
    rest: "GET /api/v1/greeter/七米",
    httpStatus: 200,
  },
  {
    what: "a name with a slash, a question mark and a plus",
    service: greeter,
    method: "SayHello",
    request: { name: "a/b?c+d" },
    rest: "GET /api/v1/greeter/a%2Fb%3Fc%2Bd",
    httpStatus: 200,
  },
  {
    what: "a name that is not valid",
    service: greeter,
    method: "SayHello",
    request: { name: "\u0007" },
    rest: "GET /api/v1/greeter/%07",
    httpStatus: 400,
  },
  {
    what: "a stream of greetings",
    service: greeter,
    method: "LotsOfReplies",
    request: { name: "七米" },
    rest: "GET /api/v1/greeter/七米/replies",
    httpStatus: 200,
  },
  {
    what: "a sum that is the default",
    service: math,
    method: "Sum",
    request: { vals: [1, -1] },
    rest: "POST /api/v1/math/sum",
    body: '{"vals":[1,-1]}',
    httpStatus: 200,
  },
  {
    what: "a sum that does not fit",
    service: math,
    method: "Sum",
    request: { vals: [2147483647, 1] },
    rest: "POST /api/v1/math/sum",
    body: '{"vals":[2147483647,1]}',
    httpStatus: 400,
  },
  {
    what: "64 bits",
    service: math,
    method: "Divide",
    request: { dividend: "-9223372036854775808", divisor: "3" },
    rest: "POST /api/v1/math/divide",
    body: '{"dividend":"-9223372036854775808","divisor":3}',
    httpStatus: 200,
  },
  {
    what: "a division by 0",
    service: math,
    method: "Divide",
    request: { dividend: "1", divisor: "0" },
    rest: "POST /api/v1/math/divide",
    body: '{"dividend":"1"}',
    httpStatus: 400,
  },
  {
    what: "a stream of numbers",
    service: math,
    method: "Fibonacci",
    request: { limit: 94 },
    rest: "GET /api/v1/math/fibonacci/94",
    httpStatus: 200,
  },
  {
    what: "a stream of requests",
    service: math,
    method: "Accumulate",
    request: [{ val: 1 }, { val: 2 }],
    rest: "POST /api/v1/math/accumulate",
    body: '[{"val":1},{"val":2}]',
    httpStatus: 200,
  },
  {
    what: "a stream both ways",
    service: math,
    method: "RunningSum",
    request: [{ val: 2147483647 }, { val: 1 }],
    rest: "POST /api/v1/math/running-sum",
    body: '[{"val":2147483647},{"val":1}]',
    httpStatus: 200,
  },
  {
    what: "a stream that is refused",
    service: math,
    method: "Fibonacci",
    request: { limit: 95 },
    rest: "GET /api/v1/math/fibonacci/95",
    httpStatus: 400,
  },
];

suite("through Envoy", needsEdge(), () => {
  let edge: Edge;
  before(async () => {
    edge = await startEdge();
  });
  after(() => edge[Symbol.asyncDispose]());

  for (const row of ROWS) {
    test(`${row.what} is the same by gRPC, gRPC-Web and REST as on the worker itself`, async () => {
      const { service, method, request } = row;
      const definition = service[method];
      assert.ok(definition);
      const worker = service === greeter ? edge.greeters[0] : edge.math;
      const own = `${worker?.host.address}:${service === greeter ? 50051 : 50052}`;
      using direct = connect(own, service);
      using client = connect(edge.envoy.address, service);
      const expected = await direct.call(method, request);
      const byGrpc = await client.call(method, request);
      assert.deepEqual(told(byGrpc), told(expected));
      if (isOne(request)) {
        const [byWeb, ownByWeb] = [
          await callByWeb(`http://${edge.envoy.address}`, definition, request),
          await callByWeb(`http://${own}`, definition, request),
        ];
        assert.deepEqual(told(byWeb), told(expected));
        assert.deepEqual(told(byWeb), told(ownByWeb));
        assert.equal(byWeb.httpStatus, ownByWeb.httpStatus);
      }

      const [byRest, ownByRest] = [await callByRest(edge.envoy.address, row), await callByRest(own, row)];
      assert.deepEqual(byRest, ownByRest);
      assert.equal(byRest.status, row.httpStatus);
      const isOk = expected.code === status.OK;
      assert.deepEqual(byRest.lines, isOk ? expected.replies : [statusJson(expected.trailers)]);
    });
  }

  test("a quota's refusal keeps its details by every way in", async () => {
    using client = connect(edge.envoy.address, greeter);
    const name = "over quota";
    let byGrpc = await client.call("SayHello", { name });
    for (let call = 0; call < 60; call += 1) byGrpc = await client.call("SayHello", { name });
    const types = ["google.rpc.QuotaFailure", "google.rpc.ErrorInfo", "google.rpc.RetryInfo"];
    assert.equal(byGrpc.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(
      statusIn(byGrpc.trailers).details.map(({ type }) => type),
      types,
    );
    assert.match(String(byGrpc.trailers.get("grpc-retry-pushback-ms")[0]), /^\d+$/);

    assert.ok(greeter.SayHello);
    const byWeb = await callByWeb(`http://${edge.envoy.address}`, greeter.SayHello, { name });
    assert.equal(byWeb.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(
      statusIn(byWeb.trailers).details.map(({ type }) => type),
      types,
    );

    const byRest = await fetch(`http://${edge.envoy.address}/api/v1/greeter/${name}`);
    const body = JSON.parse(await byRest.text());
    assert.equal(byRest.status, 429);
    assert.equal(body.code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(
      body.details.map((detail: Message) => detail["@type"]),
      types.map((type) => `type.googleapis.com/${type}`),
    );
    assert.equal(body.details[0].violations[0].quotaId, "greetings-per-name");
  });

  for (const [what, request, httpStatus, code] of [
    ["an unknown path", "GET /nothing", 404, status.NOT_FOUND],
    ["an unknown query parameter", "GET /api/v1/greeter/x?language=en", 400, status.INVALID_ARGUMENT],
    ["a number that is none", "GET /api/v1/math/fibonacci/many", 400, status.INVALID_ARGUMENT],
    ["a gRPC path without gRPC", "GET /greeter.v1.Greeter/SayHello", 404, status.NOT_FOUND],
  ] as const) {
    test(`${what} by REST is answered with google.rpc.Status`, async () => {
      const [, path = ""] = request.split(" ");
      const response = await fetch(`http://${edge.envoy.address}${path}`);
      assert.equal(response.headers.get("content-type"), "application/json");
      const body = JSON.parse(await response.text());
      assert.deepEqual([response.status, body.code], [httpStatus, code]);
    });
  }

  test("the access log has a line per call, with its trace and its gRPC status", async () => {
    using client = connect(edge.envoy.address, math);
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const traceparent = `00-${traceId}-b7ad6b7169203331-00`;
    await client.call("Divide", { dividend: "1", divisor: "0" }, { traceparent });
    const line = await edge.envoy.logged(({ trace_id }) => trace_id === traceId);
    assert.equal(line.method, "math.v1.Math/Divide");
    assert.equal(line.grpc_status, "INVALID_ARGUMENT");
    assert.equal(line.http_status, 200);
    assert.match(String(line.request_id), /^[0-9a-f-]{36}$/);
    const worker = await edge.math.logged(({ trace_id }) => trace_id === traceId);
    assert.equal(worker.method, "math.v1.Math/Divide");
  });
});

function isOne(request: Row["request"]): request is Message {
  return !Array.isArray(request);
}

/** What every way in has to tell alike. */
function told({ code, replies, trailers }: Pick<WebAnswer, "code" | "replies" | "trailers">) {
  return { code, replies, status: code === status.OK || statusIn(trailers) };
}

async function callByRest(
  address: string,
  { rest, body }: Row,
): Promise<{ status: number; lines: readonly JsonValue[] }> {
  const [method = "", path = ""] = rest.split(" ");
  const headers = { "content-type": "application/json" };
  const init = body === undefined ? { method } : { method, headers, body };
  const response = await fetch(`http://${address}${path}`, init);
  const lines = (await response.text()).trim().split("\n");
  return { status: response.status, lines: lines.map((line) => JSON.parse(line)) };
}

/** `google.rpc.Status` in JSON, as a worker's own REST has it. */
function statusJson(trailers: Metadata): JsonValue {
  const [bytes] = trailers.get("grpc-status-details-bin");
  assert.ok(Buffer.isBuffer(bytes));
  const registry = createRegistry(file_google_rpc_error_details);
  return toJson(StatusSchema, fromBinary(StatusSchema, bytes), { registry });
}
