import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { sha256 } from "./support/auth.ts";
import { temporaryFile } from "./support/temporary-file.ts";
import { webWorker } from "./support/web-worker.ts";

describe("a call by REST passes the same chain", () => {
  test("validation, with the field that is wrong", async () => {
    await using worker = await webWorker();
    const response = await worker.fetch("/api/v1/math/fibonacci/95");
    assert.equal(response.status, 400);
    const { details } = await response.json();
    assert.equal(details[0].fieldViolations[0].field, "limit");
  });

  test("quotas, by the address of who calls, with what is left and when to try again", async () => {
    await using worker = await webWorker({ env: { LOG_LEVEL: "silent" } });
    let last = await worker.fetch("/api/v1/greeter/often");
    assert.equal(last.headers.get("ratelimit-remaining"), "59");
    // One more fits for each second that this takes.
    for (let count = 1; count <= 150 && last.ok; count += 1)
      last = await worker.fetch("/api/v1/greeter/often");
    assert.equal(last.status, 429);
    assert.equal(last.headers.get("retry-after"), "1");
    const { details } = await last.json();
    assert.equal(details[0]["@type"], "type.googleapis.com/google.rpc.QuotaFailure");
    await worker.assertServes();
  });

  test("counts and in-flight numbers, by protocol", async () => {
    await using worker = await webWorker();
    await worker.assertServes();
    await worker.post("/api/v1/math/sum", { vals: [1] });
    await worker.post("/api/v1/math/sum", "{");
    const version = 'grpc_type="unary",grpc_service="math.v1.Math",grpc_method="Version"';
    const sum = 'grpc_type="unary",grpc_service="math.v1.Math",grpc_method="Sum"';
    assert.deepEqual(await worker.metric("gantry_calls_total"), [
      `gantry_calls_total{${sum},protocol="rest"} 2`,
      `gantry_calls_total{${version},protocol="rest"} 1`,
      `gantry_calls_total{${version},protocol="grpc"} 1`,
    ]);
    assert.deepEqual(await worker.metric("gantry_calls_in_flight"), []);
    const handled = await worker.metric("grpc_server_handled_total");
    assert.ok(handled.includes(`grpc_server_handled_total{${sum},grpc_code="InvalidArgument"} 1`));
    const received = await worker.metric("grpc_server_msg_received_total");
    assert.ok(received.includes(`grpc_server_msg_received_total{${sum}} 1`));
  });

  test("deadlines: Grpc-Timeout ends the call with 504, and its handler's signal says so", async () => {
    const reason = Promise.withResolvers<unknown>();
    await using worker = await webWorker({
      greeter: {
        async sayHello(_, { signal }) {
          await once(signal, "abort");
          reason.resolve(signal.reason);
          throw signal.reason;
        },
      },
    });
    const response = await worker.fetch("/api/v1/greeter/you", { headers: { "grpc-timeout": "50m" } });
    assert.equal(response.status, 504);
    assert.match(String(await reason.promise), /DEADLINE_EXCEEDED/);
  });

  test("a Grpc-Timeout that is none is 400", async () => {
    await using worker = await webWorker();
    for (const timeout of ["1.5S", "5", "123456789S", "5s"]) {
      const response = await worker.fetch("/api/v1/greeter/you", { headers: { "grpc-timeout": timeout } });
      assert.equal(response.status, 400, timeout);
    }
  });

  test("a client that goes away cancels its call", async () => {
    const begun = Promise.withResolvers<void>();
    const left = Promise.withResolvers<unknown>();
    await using worker = await webWorker({
      greeter: {
        async sayHello(_, { signal }) {
          begun.resolve();
          await once(signal, "abort");
          left.resolve(signal.reason);
          throw signal.reason;
        },
      },
    });
    using raw = await worker.socket();
    raw.send("GET /api/v1/greeter/you HTTP/1.1\r\nHost: x\r\n\r\n");
    await begun.promise;
    raw.socket.destroy();
    assert.match(String(await left.promise), /CANCELLED/);
    await worker.assertServes();
  });

  test("a client that goes away in the middle of its requests does not look as if it had finished", async () => {
    const first = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<unknown>();
    await using worker = await webWorker({
      greeter: {
        async lotsOfGreetings(requests) {
          try {
            for await (const _ of requests) first.resolve();
            ended.resolve("all came");
          } catch (error) {
            ended.resolve(error);
          }
          return {};
        },
      },
    });
    using raw = await worker.socket();
    raw.send(
      'POST /api/v1/greeter/greetings HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100\r\n\r\n{"name":"a"}\n',
    );
    await first.promise;
    raw.socket.destroy();
    assert.match(String(await ended.promise), /CANCELLED/);
    await worker.assertServes();
  });

  test("a client that does not read stops the handler, and its deadline ends the call", async () => {
    let produced = 0;
    const ended = Promise.withResolvers<void>();
    await using worker = await webWorker({
      greeter: {
        async *lotsOfReplies() {
          try {
            for (;;) {
              produced += 1;
              yield { reply: "x".repeat(1024 * 1024) };
            }
          } finally {
            ended.resolve();
          }
        },
      },
    });
    using raw = await worker.socket();
    raw.socket.pause();
    raw.send("GET /api/v1/greeter/you/replies HTTP/1.1\r\nHost: x\r\nGrpc-Timeout: 300m\r\n\r\n");
    await ended.promise;
    assert.ok(produced < 20, `${produced} MiB were made for a client that took none`);
    await worker.assertServes();
  });

  test("a reply that cannot be sent is the call's own failure", async () => {
    await using worker = await webWorker({
      greeter: {
        sayHello: ({ name }) => ({ reply: name === "large" ? "x".repeat(4 * 1024 * 1024) : "\ud800" }),
      },
    });
    assert.equal((await worker.fetch("/api/v1/greeter/large")).status, 429);
    const handled = await worker.metric("grpc_server_handled_total");
    assert.match(String(handled), /grpc_code="ResourceExhausted"\} 1/);
  });
});

test("where callers have to be known, /openapi.json is for those who are", async () => {
  await using file = await temporaryFile(
    "auth.yaml",
    `principals: [{ name: alice, tokens: [{ sha256: "${sha256("alice-s-token")}" }] }]`,
  );
  await using worker = await webWorker({ env: { AUTH_FILE: file.path } });
  const ask = (headers: Record<string, string>) => fetch(`${worker.url}/openapi.json`, { headers });
  const refused = await ask({});
  assert.equal(refused.status, 401);
  assert.ok(!(await refused.text()).includes("paths"));
  const shown = await ask({ authorization: "Bearer alice-s-token" });
  assert.equal(shown.status, 200);
  assert.match(await shown.text(), /"openapi":"3\.1/);
  assert.equal((await fetch(`${worker.url}/healthz`)).status, 200);
});
