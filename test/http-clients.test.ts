import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { BadRequestSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { needsCollector, startCollector } from "./support/collector.ts";
import { requireProgram } from "./support/programs.ts";
import { ROOT, startWorker, type WorkerProcess } from "./support/worker-process.ts";

const run = promisify(execFile);
const BUF = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");
const curl = requireProgram("curl", "apt-get install curl");

describe("one port serves every protocol to clients that we did not write", () => {
  let greeter: WorkerProcess;
  let math: WorkerProcess;
  before(async () => {
    [greeter, math] = await Promise.all([startWorker("greeter"), startWorker("math")]);
  });
  after(() => Promise.all([greeter, math].map((worker) => worker[Symbol.asyncDispose]())));

  const protocols = {
    "grpc over HTTP/2": ["--protocol", "grpc", "--http2-prior-knowledge"],
    "connect over HTTP/1.1": ["--protocol", "connect", "--schema", "proto"],
    "grpcweb over HTTP/1.1": ["--protocol", "grpcweb", "--schema", "proto"],
  };
  for (const [name, options] of Object.entries(protocols)) {
    test(`buf curl by ${name}`, async () => {
      const call = async (method: string, data: string) => {
        const url = `http://${math.address}/math.v1.Math/${method}`;
        const { stdout } = await run(process.execPath, [BUF, "curl", ...options, "--data", data, url], {
          cwd: ROOT,
        });
        return JSON.parse(`[${stdout.trim().replaceAll(/\}\n\{/g, "},{")}]`);
      };
      assert.deepEqual(await call("Sum", '{"vals":[1,2,3]}'), [{ val: 6 }]);
      assert.deepEqual(await call("Fibonacci", '{"limit":3}'), [{}, { val: "1" }, { val: "1" }]);
      assert.deepEqual(await call("Accumulate", '{"val":1}{"val":2}'), [
        { count: "2", sum: 3, minimum: 1, maximum: 2, mean: 1.5 },
      ]);
    });

    test(`buf curl shows the details of an error by ${name}`, async () => {
      const url = `http://${math.address}/math.v1.Math/Divide`;
      const failed = run(process.execPath, [BUF, "curl", ...options, "--data", "{}", url], { cwd: ROOT });
      await assert.rejects(failed, ({ stderr }) => {
        const { code, details } = JSON.parse(stderr);
        assert.equal(code, "invalid_argument");
        assert.deepEqual(details[0].type, "google.rpc.BadRequest");
        return true;
      });
    });
  }

  const transports = {
    "Connect, JSON": (baseUrl: string) => createConnectTransport({ baseUrl }),
    "Connect, binary": (baseUrl: string) => createConnectTransport({ baseUrl, useBinaryFormat: true }),
    "Connect, GET": (baseUrl: string) => createConnectTransport({ baseUrl, useHttpGet: true }),
    "gRPC-Web, binary": (baseUrl: string) => createGrpcWebTransport({ baseUrl }),
    "gRPC-Web, JSON": (baseUrl: string) => createGrpcWebTransport({ baseUrl, useBinaryFormat: false }),
  };
  for (const [name, transportTo] of Object.entries(transports)) {
    test(`the browser's client: ${name}`, async () => {
      const client = createClient(Greeter, transportTo(`http://${greeter.address}`));
      const said: { location?: string | null; timestamp?: string | null } = {};
      const { reply } = await client.sayHello(
        { name: "七米" },
        {
          onHeader: (headers) => {
            said.location = headers.get("location");
          },
          onTrailer: (trailers) => {
            said.timestamp = trailers.get("timestamp");
          },
        },
      );
      assert.equal(reply, "Hello 七米");
      assert.ok(said.location);
      assert.match(String(said.timestamp), /^\d+$/);

      const replies: string[] = [];
      for await (const { reply } of client.lotsOfReplies({ name: "七米" })) replies.push(reply);
      assert.deepEqual(replies, ["你好七米", "hello七米", "こんにちは七米", "안녕하세요七米"]);

      const error = await client
        .sayHello({ name: "" })
        .then(() => assert.fail("it was not refused"), ConnectError.from);
      assert.equal(error.code, Code.InvalidArgument);
      assert.equal(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field, "name");

      const sums = createClient(MathService, transportTo(`http://${math.address}`));
      const { quotient } = await sums.divide({ dividend: 2n ** 62n, divisor: 3n });
      assert.equal(quotient, 1537228672809129301n);
    });
  }

  test("curl by REST", curl, async () => {
    const json = ["-H", "content-type: application/json"];
    const ask = async (...args: string[]) => (await run("curl", ["-sS", "--noproxy", "*", ...args])).stdout;
    const url = `http://${math.address}/api/v1/math`;
    assert.equal(await ask(...json, "-d", '{"vals":[1,2,3]}', `${url}/sum`), '{"val":6}');
    assert.equal(await ask(`${url}/version`), '{"val":"0.1.0"}');
    assert.equal(await ask(`${url}/fibonacci/3`), '{"val":"0"}\n{"val":"1"}\n{"val":"1"}\n');
    assert.equal(await ask(`http://${math.address}/healthz`), '{"status":"SERVING"}');
    const openApi = JSON.parse(await ask(`http://${math.address}/openapi.json`));
    assert.match(openApi.openapi, /^3\.1\./);
    assert.ok(openApi.paths["/api/v1/math/sum"].post);
  });
});

test("a call over HTTP is a span, and goes on with the trace of its client", needsCollector, async () => {
  await using collector = await startCollector();
  await using worker = await startWorker("math", {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.http,
    OTEL_BSP_SCHEDULE_DELAY: "50",
  });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const parentId = "b7ad6b7169203331";
  const headers = { traceparent: `00-${traceId}-${parentId}-01`, "content-type": "application/json" };
  const body = '{"vals":[1]}';
  const call = async (path: string) => {
    const before = collector.spans.length;
    const response = await fetch(`http://${worker.address}${path}`, { method: "POST", headers, body });
    assert.equal(response.status, 200);
    await collector.received(() => collector.spans.length > before);
  };
  // The first one ended before OpenTelemetry was loaded.
  await call("/api/v1/math/sum");
  await call("/api/v1/math/sum");
  await call("/math.v1.Math/Sum");
  assert.deepEqual(
    collector.spans.map(({ traceId, parentSpanId, name, kind, attributes }) => [
      traceId,
      parentSpanId,
      name,
      kind,
      attributes["gantry.protocol"],
    ]),
    ["rest", "rest", "connect"].map((protocol) => [
      traceId,
      parentId,
      "grpc.math.v1.Math/Sum",
      SERVER,
      protocol,
    ]),
  );
  const logged = worker.logs.filter(({ msg }) => msg === "call");
  assert.deepEqual(
    logged.map(({ protocol, trace_id }) => [protocol, trace_id]),
    ["rest", "rest", "connect"].map((protocol) => [protocol, traceId]),
  );
});

/** OpenTelemetry's number for spans of servers. */
const SERVER = 2;

test("Connect's packages are loaded by the first call that needs them", async () => {
  const report = join(import.meta.dirname, "support/report-packages.ts");
  await using worker = await startWorker("math", { NODE_OPTIONS: `--import=${report}` });
  const call = async (path: string) => {
    const headers = { "content-type": "application/json" };
    await fetch(`http://${worker.address}${path}`, { method: "POST", headers, body: "{}" });
    return worker.errors.includes("loads @connectrpc/connect");
  };
  assert.equal(await call("/api/v1/math/sum"), false);
  assert.equal(await call("/math.v1.Math/Sum"), true);
});
