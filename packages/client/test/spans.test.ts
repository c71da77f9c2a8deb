import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { Code, Metadata, RpcError } from "@gantry/rpc";
import { createTestWorker } from "@gantry/worker/testing";
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { kitchen as kitchenService } from "../../worker/test/support/kitchen.ts";
import { type ClientInterceptor, createClient } from "../src/index.ts";
import { Kitchen, kitchenWorker, tcpServer } from "./support/worker.ts";

type Exporter = NonNullable<NonNullable<ConstructorParameters<typeof NodeSDK>[0]>["traceExporter"]>;
type ReadableSpan = Parameters<Exporter["export"]>[0][number];

const TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("OpenTelemetry is not loaded where nothing is traced", async () => {
  await using silent = await tcpServer((socket) => socket.destroy());
  const program = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ resolve(specifier, context, next) { loaded.push(specifier); return next(specifier, context); } });
    const { createClient } = await import(${JSON.stringify(import.meta.resolve("../src/index.ts"))});
    const { Greeter } = await import("@gantry/proto/greeter/v1/greeter_pb.js");
    const greeter = createClient(Greeter, ${JSON.stringify(silent.target)});
    await greeter.sayHello({ name: "a" }).catch(() => {});
    await greeter.close();
    console.log(JSON.stringify(loaded.filter((specifier) => /opentelemetry|spans/.test(specifier))));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: import.meta.dirname,
  });
  assert.deepEqual(JSON.parse(stdout), []);
});

test("each attempt is a client span of the trace that it belongs to", async () => {
  const spans: ReadableSpan[] = [];
  const sdk = new NodeSDK({
    autoDetectResources: false,
    metricReaders: [],
    logRecordProcessors: [],
    traceExporter: {
      export(ended, done) {
        spans.push(...ended);
        done({ code: 0 });
      },
      shutdown: async () => {},
    },
  });
  sdk.start();
  const received: string[] = [];
  {
    await using worker = await kitchenWorker({
      cook(dish, { metadata }) {
        received.push(metadata.get("traceparent") ?? "none");
        if (dish.count > 0) throw new RpcError(Code.NotFound, "no such dish");
        return dish;
      },
    });
    const again: ClientInterceptor = (next) => (call) => next(call).catch(() => next(call));
    await using kitchen = createClient(Kitchen, worker.target, { interceptors: [again] });
    await trace.getTracer("test").startActiveSpan("dinner", async (dinner) => {
      await assert.rejects(kitchen.cook({ count: 1 }), { code: Code.NotFound });
      dinner.end();
    });
    await using outer = await createTestWorker({
      services: [kitchenService({ cook: (dish) => kitchen.cook(dish) })],
    });
    const headers = new Metadata([["traceparent", TRACE_PARENT]]);
    await outer.client(Kitchen).cook({}, { headers });
  }
  await sdk.shutdown();

  const dinner = spans.find(({ name }) => name === "dinner") ?? assert.fail();
  const attempts = spans.filter(({ name }) => name === "grpc.kitchen.v1.Kitchen/Cook");
  assert.equal(attempts.length, 3);
  assert.deepEqual(
    attempts.map((span) => {
      const { traceId, spanId } = span.spanContext();
      return `00-${traceId}-${spanId}-01`;
    }),
    received,
    "the server is told of each by its own id",
  );
  const [first, second, third] = attempts;
  for (const span of [first, second]) {
    assert.equal(span?.kind, SpanKind.CLIENT);
    assert.equal(span.parentSpanContext?.spanId, dinner.spanContext().spanId);
    assert.equal(span.status.code, SpanStatusCode.ERROR);
    assert.equal(span.attributes["rpc.grpc.status_code"], Code.NotFound);
    assert.equal(span.attributes["rpc.service"], "kitchen.v1.Kitchen");
  }
  assert.equal(third?.parentSpanContext?.spanId, "b7ad6b7169203331", "of the handler that made it");
  assert.equal(third.attributes["rpc.grpc.status_code"], Code.Ok);
});
