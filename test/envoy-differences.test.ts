/** Where Envoy's transcoder answers otherwise than a worker's own REST: the rows of the table in docs/envoy.md. */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Code } from "@gantry/rpc";
import { type Edge, needsEdge, startEdge } from "./support/edge.ts";
import { callByWeb } from "./support/grpc-web.ts";
import { serviceOf } from "./support/plain-client.ts";

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  readonly headers: Headers;
}

interface Difference {
  readonly what: string;
  /** `POST /path`. */
  readonly rest: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What of an answer is looked at. Default: its status. */
  readonly look?: (answer: Answer) => unknown;
  readonly worker: unknown;
  readonly envoy: unknown;
}

const ndjson = { "content-type": "application/x-ndjson" };
const details = ({ status, text }: Answer) => [
  status,
  JSON.parse(text).code,
  JSON.parse(text).details.length,
];
const statusOf = ({ status }: Answer) => status;
const type = ({ type }: Answer) => type;
const sum = "POST /api/v1/math/sum";
/** A body of 6 MB, whose message has 1.5 MB. */
const large = () => JSON.stringify({ vals: Array.from({ length: 1_500_000 }, () => 100) });

const DIFFERENCES: readonly Difference[] = [
  {
    what: "an unknown field in a body",
    rest: sum,
    body: '{"vals":[1],"unknown":1}',
    worker: 400,
    envoy: 200,
  },
  { what: "a name that stands twice", rest: sum, body: '{"vals":[1],"vals":[2]}', worker: 400, envoy: 200 },
  ...[
    { what: "JSON that cannot be read", rest: sum, body: '{"vals":[1' },
    { what: "a value of another type", rest: sum, body: '{"vals":["x"]}' },
    { what: "a number in the path that is none", rest: "GET /api/v1/math/fibonacci/many" },
    { what: "an unknown query parameter", rest: "GET /api/v1/greeter/x?language=en" },
  ].map((row) => ({
    ...row,
    look: details,
    worker: [400, Code.InvalidArgument, 1],
    envoy: [400, Code.InvalidArgument, 0],
  })),
  { what: "a path that is not well encoded", rest: "GET /api/v1/greeter/%zz", worker: 400, envoy: 200 },
  { what: "a path with slashes in a row", rest: "GET //api//v1/greeter/x", worker: 404, envoy: 200 },
  {
    what: "a body of another type",
    rest: sum,
    body: '{"vals":[1]}',
    headers: { "content-type": "text/plain" },
    worker: 415,
    envoy: 200,
  },
  {
    what: "a body that says that it is encoded",
    rest: sum,
    body: '{"vals":[1]}',
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    worker: 415,
    envoy: 200,
  },
  { what: "a body past 4 MiB whose message is smaller", rest: sum, body: large(), worker: 413, envoy: 200 },
  { what: "a path with another verb", rest: "GET /api/v1/math/sum", worker: 405, envoy: 404 },
  { what: "HEAD", rest: "HEAD /api/v1/math/version", worker: 200, envoy: 404 },
  { what: "OPTIONS", rest: "OPTIONS /api/v1/math/version", worker: 204, envoy: 404 },
  {
    what: "a stream's content type",
    rest: "GET /api/v1/greeter/x/replies",
    look: type,
    worker: "application/x-ndjson",
    envoy: "application/json",
  },
  {
    what: "server-sent events",
    rest: "GET /api/v1/greeter/x/replies",
    headers: { accept: "text/event-stream" },
    look: type,
    worker: "text/event-stream",
    envoy: "application/json",
  },
  {
    what: "requests as lines",
    rest: "POST /api/v1/math/accumulate",
    body: '{"val":1}\n{"val":2}\n',
    headers: ndjson,
    worker: 200,
    envoy: 400,
  },
  {
    what: "trailers of a call that went well",
    rest: "GET /api/v1/greeter/trailers",
    look: ({ headers }) => headers.has("ratelimit-remaining"),
    worker: true,
    envoy: false,
  },
  { what: "Connect", rest: "POST /math.v1.Math/Sum", body: '{"vals":[1]}', worker: 200, envoy: 404 },
];

suite("the transcoder's differences", needsEdge(), () => {
  let edge: Edge;
  before(async () => {
    edge = await startEdge();
  });
  after(() => edge[Symbol.asyncDispose]());

  const workerOf = (path: string) =>
    path.includes("greeter") ? `${edge.greeters[0]?.host.address}:50051` : `${edge.math.host.address}:50052`;

  for (const { what, rest, look = statusOf, worker, envoy, ...request } of DIFFERENCES) {
    test(`${what}: ${worker} by the worker, ${envoy} by Envoy`, async () => {
      const answers = [
        await answerOf(workerOf(rest), rest, request),
        await answerOf(edge.envoy.address, rest, request),
      ];
      assert.deepEqual(answers.map(look), [worker, envoy], answers.map(({ text }) => text).join("\n"));
    });
  }

  test("a quota's refusal says when to come back in other headers", async () => {
    const rest = "GET /api/v1/greeter/late";
    const names = ["retry-after", "grpc-retry-pushback-ms"];
    for (const [address, told] of [
      [workerOf(rest), [true, true]],
      [edge.envoy.address, [false, true]],
    ] as const) {
      let answer = await answerOf(address, rest, {});
      for (let calls = 0; calls < 61 && answer.status === 200; calls += 1) {
        answer = await answerOf(address, rest, {});
      }
      assert.equal(answer.status, 429);
      assert.deepEqual(
        names.map((name) => answer.headers.has(name)),
        told,
      );
    }
  });

  test("gRPC-Web streams both ways through Envoy only", async () => {
    const { BidiHello } = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
    assert.ok(BidiHello);
    const address = `${edge.greeters[0]?.host.address}:50051`;
    const byWorker = await callByWeb(`http://${address}`, BidiHello, { name: "在吗?" });
    const byEnvoy = await callByWeb(`http://${edge.envoy.address}`, BidiHello, { name: "在吗?" });
    assert.equal(byWorker.httpStatus, 505);
    assert.deepEqual([byEnvoy.httpStatus, byEnvoy.replies], [200, [{ reply: "在!" }]]);
  });
});

async function answerOf(
  address: string,
  rest: string,
  { body, headers }: Pick<Difference, "body" | "headers">,
): Promise<Answer> {
  const [method = "", path = ""] = rest.split(" ");
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const init = { method, headers: { ...json, ...headers }, ...(body !== undefined && { body }) };
  const response = await fetch(`http://${address}${path}`, init);
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    text,
    headers: response.headers,
  };
}
