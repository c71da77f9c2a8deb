import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, mock, test } from "node:test";
import { createHttpServer, type HttpServerOptions } from "../src/transport/http/http-server.ts";
import { FIRST_BYTES_WITHIN_MS, protocolOf } from "../src/transport/sniff.ts";
import { plainClient } from "./support/server.ts";
import { webWorker } from "./support/web-worker.ts";

const GET = "GET /api/v1/math/version HTTP/1.1\r\nHost: x\r\n\r\n";

describe("the first bytes of a connection tell what it speaks", () => {
  const beginnings = new Map<string, "http2" | "http1" | undefined>([
    ["", undefined],
    ["P", undefined],
    ["PRI", undefined],
    ["PRI ", "http2"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2"],
    ["PR0", "http1"],
    ["PROPFIND / HTTP/1.1", "http1"],
    ["POST", "http1"],
    ["GET / HTTP/1.1\r\n", "http1"],
    ["\x16\x03\x01", "http1"],
  ]);
  for (const [text, expected] of beginnings) {
    test(`${JSON.stringify(text)}: ${expected ?? "not yet"}`, () => {
      assert.equal(protocolOf(Buffer.from(text, "latin1")), expected);
    });
  }

  test("one by one, too", async () => {
    await using worker = await webWorker();
    using raw = await worker.socket();
    raw.socket.setNoDelay(true);
    for (const byte of Buffer.from(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))) {
      raw.send(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    assert.match(await raw.closed(), /^HTTP\/1\.1 200 OK\r\n.*\{"val":"1\.2\.3"\}$/s);
  });

  test("and none in 10 seconds close it", async (context) => {
    await using worker = await webWorker();
    // The worker runs in this process: its timers are mocked with the test's.
    context.mock.timers.enable({ apis: ["setTimeout"] });
    using silent = await worker.socket();
    using hesitant = await worker.socket();
    hesitant.send("P");
    await worker.assertServes();
    context.mock.timers.tick(FIRST_BYTES_WITHIN_MS - 1);
    assert.deepEqual([silent.socket.closed, hesitant.socket.closed], [false, false]);
    context.mock.timers.tick(1);
    assert.deepEqual(await Promise.all([silent.closed(), hesitant.closed()]), ["", ""]);
    context.mock.timers.reset();
  });
});

describe("PROTOCOLS", () => {
  test("without http closes connections of HTTP/1.1", async () => {
    await using worker = await webWorker({ env: { PROTOCOLS: "grpc" } });
    using raw = await worker.socket();
    raw.send(GET);
    assert.equal(await raw.closed(), "");
  });

  test("without grpc closes connections of HTTP/2", async () => {
    await using worker = await webWorker({ env: { PROTOCOLS: "http" } });
    using raw = await worker.socket();
    raw.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert.equal(await raw.closed(), "");
    assert.equal((await worker.fetch("/healthz")).status, 200);
  });
});

describe("a connection that is kept", () => {
  test("serves one request after the other", async () => {
    await using worker = await webWorker();
    using raw = await worker.socket();
    for (let count = 1; count <= 3; count += 1) {
      raw.send(GET);
      await raw.until((text) => text.split("200 OK").length === count + 1 && text.endsWith("}"));
    }
    raw.send(GET + GET);
    await raw.until((text) => text.split("200 OK").length === 6 && text.endsWith("}"));
  });

  test("gets its answer where the client has half-closed it behind the request", async () => {
    await using worker = await webWorker({
      greeter: {
        async sayHello() {
          await new Promise(setImmediate);
          return { reply: "yes" };
        },
      },
    });
    using raw = await worker.socket();
    raw.socket.end("GET /api/v1/greeter/you HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.match(await raw.closed(), /\{"reply":"yes"\}$/);
  });

  test("is closed behind the first answer after MAX_CONNECTION_AGE", async () => {
    await using worker = await webWorker({ env: { MAX_CONNECTION_AGE: "1s" } });
    using raw = await worker.socket();
    raw.send(GET);
    assert.doesNotMatch(await raw.until((text) => text.endsWith("}")), /connection: close/i);
    mock.method(performance, "now", () => Number.MAX_SAFE_INTEGER, { times: 1 });
    raw.send(GET);
    assert.match(await raw.closed(), /connection: close/i);
  });
});

/** The HTTP side alone, with waits that a test can wait for. */
async function httpServer(options: Partial<HttpServerOptions>) {
  const http = createHttpServer({
    handle: (_, response) => response.end("ok"),
    maxConnectionAgeMs: 60_000,
    ...options,
  });
  const listener = createServer((socket) => http.accept(socket)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    http,
    port,
    [Symbol.asyncDispose]: async () => {
      http.stopAccepting();
      const closed = once(listener, "close");
      listener.close();
      await closed;
    },
  };
}

describe("a connection that does nothing", () => {
  test("in the middle of its headers is answered 408 and closed", async () => {
    await using server = await httpServer({ headersTimeoutMs: 100 });
    const [socket, text] = await said(server.port, "GET / HTTP/1.1\r\nHo");
    assert.match(await text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    socket.destroy();
  });

  test("between two requests is closed", async () => {
    await using server = await httpServer({ keepAliveMs: 50 });
    const [, text] = await said(server.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.match(await text, /^HTTP\/1\.1 200 OK\r\n/);
  });

  test("in the middle of its body is answered 408 and closed, and its call counted", async (context) => {
    await using worker = await webWorker();
    await worker.fetch("/healthz");
    context.mock.timers.enable({ apis: ["setTimeout"] });
    using raw = await worker.socket();
    raw.send(
      "POST /api/v1/math/sum HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
    );
    using connect = await worker.socket();
    connect.send(
      "POST /math.v1.Math/Sum HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
    );
    await worker.post("/math.v1.Math/Sum", {});
    await worker.assertServes();
    context.mock.timers.tick(30_000);
    // Its answer leaves at once, and the connection a second later.
    for (const one of [raw, connect]) {
      assert.match(await one.until((text) => text.endsWith("}")), /^HTTP\/1\.1 408 Request Timeout\r\n/);
    }
    await new Promise(setImmediate);
    context.mock.timers.tick(1_000);
    await Promise.all([raw.closed(), connect.closed()]);
    context.mock.timers.reset();
    assert.match(
      String(await worker.metric("grpc_server_handled_total")),
      /"Sum",grpc_code="DeadlineExceeded"\} 1/,
    );
  });

  test("does not disturb others, a thousand of them neither, and a drain does not wait for them", async () => {
    const worker = await webWorker();
    const idle = await Promise.all(Array.from({ length: 1_000 }, () => worker.socket()));
    for (const raw of idle) raw.send(GET);
    await Promise.all(idle.map((raw) => raw.until((text) => text.endsWith("}"))));
    await worker.assertServes();
    await worker.stop();
    await Promise.all(idle.map((raw) => raw.closed()));
  });
});

async function said(port: number, text: string): Promise<[Socket, Promise<string>]> {
  const { connect } = await import("node:net");
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(text);
  return [socket, socket.toArray().then((chunks) => Buffer.concat(chunks).toString())];
}

describe("a drain", () => {
  const slow = () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const sayHello = async () => {
      begun.resolve();
      await goOn.promise;
      return { reply: "done" };
    };
    return { begun: begun.promise, goOn: goOn.resolve, sayHello };
  };

  test("lets the request in flight finish, says so, and closes idle connections at once", async () => {
    const { begun, goOn, sayHello } = slow();
    const worker = await webWorker({ greeter: { sayHello } });
    using idle = await worker.socket();
    idle.send(GET);
    await idle.until((text) => text.endsWith("}"));
    using busy = await worker.socket();
    busy.send("GET /api/v1/greeter/you HTTP/1.1\r\nHost: x\r\n\r\n");
    await begun;
    const stopped = worker.stop();
    await idle.closed();
    goOn();
    const text = await busy.closed();
    assert.match(text, /\r\nconnection: close\r\n/i);
    assert.match(text, /\{"reply":"done"\}$/);
    await stopped;
  });

  test("lets a stream that has begun finish, and closes its connection then", async () => {
    const goOn = Promise.withResolvers<void>();
    const worker = await webWorker({
      greeter: {
        async *lotsOfReplies() {
          yield { reply: "one" };
          await goOn.promise;
          yield { reply: "two" };
        },
      },
    });
    using raw = await worker.socket();
    raw.send("GET /api/v1/greeter/you/replies HTTP/1.1\r\nHost: x\r\n\r\n");
    await raw.until((text) => text.includes("one"));
    const stopped = worker.stop();
    goOn.resolve();
    assert.match(await raw.closed(), /\{"reply":"two"\}\n\r\n0\r\n\r\n$/);
    await stopped;
  });

  test("cancels what has not finished in time, with 503", async () => {
    const { begun, sayHello } = slow();
    const worker = await webWorker({ greeter: { sayHello }, env: { DRAIN_TIMEOUT: "200ms" } });
    using raw = await worker.socket();
    raw.send("GET /api/v1/greeter/you HTTP/1.1\r\nHost: x\r\n\r\n");
    await begun;
    await worker.stop();
    assert.match(await raw.closed(), /^HTTP\/1\.1 503 Service Unavailable\r\n.*no time left/s);
  });

  test("is seen on /healthz while DRAIN_DELAY lasts", async () => {
    const worker = await webWorker({ env: { DRAIN_DELAY: "300ms" } });
    const healthz = async () => {
      const response = await worker.fetch("/healthz");
      return [response.status, await response.json()];
    };
    assert.deepEqual(await healthz(), [200, { status: "SERVING" }]);
    const stopped = worker.stop();
    assert.deepEqual(await healthz(), [503, { status: "NOT_SERVING" }]);
    await stopped;
  });

  test("does not wait for requests that never arrive", async () => {
    const worker = await webWorker({ env: { DRAIN_TIMEOUT: "20s" } });
    using half = await worker.socket();
    half.send("GET /api/v1/math/ver");
    using body = await worker.socket();
    body.send("P");
    await worker.assertServes();
    const at = performance.now();
    await worker.stop();
    assert.ok(performance.now() - at < 10_000, "it waited for them");
    assert.deepEqual(await Promise.all([half.closed(), body.closed()]), ["", ""]);
  });
});

test("gRPC and HTTP/1.1 share MAX_CONNECTIONS", async () => {
  await using worker = await webWorker({ env: { MAX_CONNECTIONS: "1" } });
  using first = await worker.socket();
  first.send(GET);
  await first.until((text) => text.endsWith("}"));
  const client = plainClient(worker.port, { "grpc.use_local_subchannel_pool": 1 });
  const { code } = await client.call(
    "Ping",
    {},
    { path: "/math.v1.Math/Version", deadline: Date.now() + 300 },
  );
  client.close();
  assert.notEqual(code, 0);
});
