/** A real OpenTelemetry Collector, which test/support/ci-tools.sh builds, and the spans that it was sent. */
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { builtProgram, requireProgram } from "./programs.ts";

/** A span as the Collector passes it on. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** "": it has none. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly startMs: number;
  readonly endMs: number;
  readonly traceState?: string;
  /** Attributes of the process that sent it. */
  readonly resource: Readonly<Record<string, string | number>>;
}

export interface Collector extends AsyncDisposable {
  /** Where it takes OTLP by HTTP: `http://127.0.0.1:40123`. */
  readonly http: string;
  /** Where it takes OTLP by gRPC. */
  readonly grpc: string;
  /** What it was sent until now. */
  readonly spans: readonly Span[];
  /** The first span for which this holds, whether it has come or is still to come. */
  received(holds: (span: Span) => boolean): Promise<Span>;
}

const PROGRAM = builtProgram("otelcol");

export const needsCollector = requireProgram(PROGRAM, "bash test/support/ci-tools.sh builds it");

/**
 * Takes OTLP on free ports.
 *
 * @param grpcEndpoint where it takes OTLP by gRPC, for those who cannot be told
 */
export async function startCollector(grpcEndpoint = "127.0.0.1:0"): Promise<Collector> {
  await using stack = new AsyncDisposableStack();
  const sink = stack.use(await startSink());
  const collector = stack.use(await runCollector([`yaml:${configuration(sink.address, grpcEndpoint)}`]));
  const disposables = stack.move();
  return {
    http: collector.http,
    grpc: collector.grpc,
    spans: sink.spans,
    received: sink.received,
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

/**
 * Runs a Collector until it takes OTLP.
 *
 * @param configs what `--config` takes, such as `file:…`; later ones go over earlier ones
 */
export async function runCollector(configs: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const args = configs.flatMap((config) => ["--config", config]);
  const collector = spawn(PROGRAM, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(collector, "exit");
  const endpoints: Record<string, string> = {};
  const log: string[] = [];
  for await (const line of createInterface(collector.stderr)) {
    log.push(line);
    const { msg, endpoint } = line.startsWith("{") ? JSON.parse(line) : {};
    if (endpoint) endpoints[msg] = `http://${endpoint}`;
    if (msg === "Everything is ready. Begin running and processing data.") break;
  }
  collector.stderr.resume();
  const { "Starting HTTP server": http, "Starting GRPC server": grpc } = endpoints;
  if (!http || !grpc) throw new Error(`The Collector did not start:\n${log.join("\n")}`);
  return {
    http,
    grpc,
    async [Symbol.asyncDispose]() {
      collector.kill();
      await exited;
    },
  };
}

/** Where a Collector passes on what it has: OTLP over HTTP, as JSON. */
export async function startSink() {
  const spans: Span[] = [];
  const arrivals = new EventEmitter<{ span: [Span]; logs: [unknown] }>().setMaxListeners(0);
  const sink = createServer(async (request, response) => {
    const body = await json(request);
    if (request.url?.endsWith("/v1/logs")) arrivals.emit("logs", body);
    else {
      for (const span of spansIn(body)) {
        spans.push(span);
        arrivals.emit("span", span);
      }
    }
    response.setHeader("content-type", "application/json").end("{}");
  });
  sink.listen(0, "127.0.0.1");
  await once(sink, "listening");
  // It listens on a port, not on a path.
  const { port } = sink.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    spans,
    arrivals,
    received(holds: (span: Span) => boolean): Promise<Span> {
      return new Promise((resolve) => {
        const found = spans.find(holds);
        if (found) return resolve(found);
        const onSpan = (span: Span) => {
          if (!holds(span)) return;
          arrivals.off("span", onSpan);
          resolve(span);
        };
        arrivals.on("span", onSpan);
      });
    },
    async [Symbol.asyncDispose]() {
      sink.close();
      sink.closeAllConnections();
    },
  };
}

function configuration(sink: string, grpcEndpoint: string): string {
  return JSON.stringify({
    receivers: {
      otlp: { protocols: { http: { endpoint: "127.0.0.1:0" }, grpc: { endpoint: grpcEndpoint } } },
    },
    exporters: {
      otlp_http: {
        traces_endpoint: sink,
        encoding: "json",
        compression: "none",
        sending_queue: { enabled: false },
      },
    },
    service: { pipelines: { traces: { receivers: ["otlp"], exporters: ["otlp_http"] } } },
  });
}

/** OTLP's JSON. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

interface WireSpan extends Pick<Span, "traceId" | "spanId" | "name" | "kind" | "status"> {
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

function spansIn(body: unknown): Span[] {
  // The Collector sends nothing else to this address.
  return (body as Request).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ parentSpanId = "", startTimeUnixNano, endTimeUnixNano, attributes, ...span }) => ({
        ...span,
        parentSpanId,
        attributes: valuesOf(attributes),
        startMs: Number(startTimeUnixNano) / 1e6,
        endMs: Number(endTimeUnixNano) / 1e6,
        resource: valuesOf(resource.attributes),
      })),
    ),
  );
}

function valuesOf(attributes: readonly Attribute[]): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );
}
