import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { adminServer } from "./support/admin.ts";

test("/livez is 200 whatever state the worker is in", async () => {
  await using admin = await adminServer();
  for (const state of ["starting", "serving", "draining", "stopped"] as const) {
    admin.stats.state = state;
    const response = await admin.get("/livez");
    assert.equal(response.status, 200, state);
    assert.deepEqual(await response.json(), { status: "ok" });
  }
});

test("/readyz is 200 only while the worker serves, else 503 with its state", async () => {
  await using admin = await adminServer();
  const response = await admin.get("/readyz");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: "ok" });
  for (const state of ["starting", "draining", "stopped"] as const) {
    admin.stats.state = state;
    const refused = await admin.get("/readyz");
    assert.equal(refused.status, 503, state);
    assert.deepEqual(await refused.json(), { status: state });
  }
});

test("/version says what runs", async () => {
  await using admin = await adminServer();
  const response = await admin.get("/version");
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.deepEqual(await response.json(), { name: "greeter", version: "1.2.3", node: process.version });
});

test("/metrics answers in the format that the scraper asks for", async () => {
  await using admin = await adminServer();
  const plain = await admin.get("/metrics");
  assert.equal(plain.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.match(await plain.text(), /^grpc_server_started_total\{.*grpc_method="SayHello"\} 0$/m);

  const openMetrics = await admin.get("/metrics", {
    headers: { accept: "application/openmetrics-text;version=1.0.0" },
  });
  assert.equal(
    openMetrics.headers.get("content-type"),
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
  );
  assert.match(await openMetrics.text(), /\n# EOF\n$/);
});

test("/explain shows all methods, or the one that is asked for, as protobuf JSON", async () => {
  await using admin = await adminServer();
  const sayHello = {
    method: "greeter.v1.Greeter/SayHello",
    sources: { quotas: "policy.yaml:4" },
    interceptors: ["recover", "quota"],
  };
  assert.deepEqual(await (await admin.get("/explain")).json(), {
    methods: [sayHello, { method: "greeter.v1.Greeter/BidiHello", interceptors: ["recover"] }],
  });
  const one = await admin.get("/explain?method=greeter.v1.Greeter/SayHello");
  assert.deepEqual(await one.json(), { methods: [sayHello] });

  const unknown = await admin.get("/explain?method=greeter.v1.Greeter/SayGoodbye");
  assert.equal(unknown.status, 404);
  assert.match(
    await unknown.text(),
    /There is no method \\"greeter\.v1\.Greeter\/SayGoodbye\\" on this worker/,
  );
});

test("/ links every page, and shows the worker's name as text, whatever is in it", async () => {
  await using admin = await adminServer({ name: "<script>&" });
  const page = await (await admin.get("/")).text();
  for (const path of ["/metrics", "/livez", "/readyz", "/version", "/explain"]) {
    assert.ok(page.includes(`<a href="${path}">`), path);
    assert.notEqual((await admin.get(path)).status, 404, path);
  }
  assert.ok(page.includes("<title>&lt;script&gt;&amp; 1.2.3</title>"));
});

test("HEAD answers as GET does, without the body", async () => {
  await using admin = await adminServer();
  for (const path of ["/metrics", "/livez", "/readyz", "/version", "/explain", "/"]) {
    const response = await admin.get(path, { method: "HEAD" });
    assert.equal(response.status, 200, path);
    assert.ok(Number(response.headers.get("content-length")) > 0, path);
    assert.equal(await response.text(), "");
  }
});

test("another method is 405 with those that are allowed, another page is 404", async () => {
  await using admin = await adminServer();
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const refused = await admin.get("/metrics", { method });
    assert.equal(refused.status, 405, method);
    assert.equal(refused.headers.get("allow"), "GET, HEAD");
    assert.deepEqual(await refused.json(), { error: `/metrics answers GET and HEAD, not ${method}.` });
  }
  for (const path of ["/metric", "/metrics/", "/constructor"]) {
    const missing = await admin.get(path);
    assert.equal(missing.status, 404, path);
    assert.equal(missing.headers.get("content-type"), "application/json");
    assert.match(await missing.text(), /There is no page .*: expected one of \/metrics \/livez/);
  }
});

test("answers are not cached, not sniffed, not framed and not shared with other origins", async () => {
  await using admin = await adminServer();
  for (const path of ["/", "/metrics", "/nowhere"]) {
    const { headers } = await admin.get(path, { headers: { origin: "https://evil.example" } });
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.equal(headers.get("access-control-allow-origin"), null);
  }
});

test("a page that fails is 500 with nothing of the reason, which the log has; the others go on", async () => {
  await using admin = await adminServer({
    explain() {
      throw new Error("the secret is out");
    },
  });
  const response = await admin.get("/explain");
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret/);
  assert.match(admin.log.join(""), /the secret is out/);
  assert.equal((await admin.get("/livez")).status, 200);
});

test("headers past 8 KiB are refused", async () => {
  await using admin = await adminServer();
  const response = await admin.get("/livez", { headers: { "x-long": "x".repeat(9_000) } });
  assert.equal(response.status, 431);
});

test("what is not HTTP is refused, and others are served on", async () => {
  await using admin = await adminServer();
  const socket = connect(admin.port, "127.0.0.1");
  socket.end("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  assert.match(await text(socket), /^HTTP\/1\.1 400 /);
  assert.equal((await admin.get("/livez")).status, 200);
});

test("a port that is taken is an error that says so", async () => {
  await using admin = await adminServer();
  await assert.rejects(adminServer({ port: admin.port }), { code: "EADDRINUSE", port: admin.port });
});

test("close does not wait for connections that are kept alive", async () => {
  await using admin = await adminServer();
  const agent = new Agent({ keepAlive: true });
  const free = once(agent, "free");
  const scrape = request({ port: admin.port, host: "127.0.0.1", path: "/livez", agent }).end();
  const [response] = await once(scrape, "response");
  await text(response);
  const [kept] = await free;
  const disconnected = once(kept, "close");

  const before = performance.now();
  await admin.close();
  assert.ok(performance.now() - before < 900, "it did not come to breaking connections");
  await disconnected;
  await assert.rejects(admin.get("/livez"), "the port is closed");
});

test("close breaks a connection that never sends its request", async () => {
  await using admin = await adminServer();
  const silent = connect(admin.port, "127.0.0.1");
  silent.on("error", () => {});
  await once(silent, "connect");
  const disconnected = once(silent, "close");
  await admin.close();
  await disconnected;
});
