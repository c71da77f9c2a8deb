/** What Envoy keeps from workers. */
import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http2";
import { after, before, suite, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { type Edge, needsEdge, startEdge } from "./support/edge.ts";
import { callByWeb } from "./support/grpc-web.ts";
import { h2Session } from "./support/h2-session.ts";
import { connect, serviceOf } from "./support/plain-client.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");

suite("what comes from outside", needsEdge(), () => {
  let edge: Edge;
  before(async () => {
    edge = await startEdge();
  });
  after(() => edge[Symbol.asyncDispose]());

  for (const path of [
    "/gantry.v1.Admin/Explain",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/grpc.health.v1.Health/Check",
  ]) {
    test(`${path} is not reachable from outside`, async () => {
      const sayHello = greeter.SayHello;
      assert.ok(sayHello);
      using client = connect(edge.envoy.address, { it: { ...sayHello, path } });
      assert.equal((await client.call("it", {})).code, status.UNIMPLEMENTED);
      using direct = connect(`${edge.greeters[0]?.host.address}:50051`, { it: { ...sayHello, path } });
      assert.notEqual((await direct.call("it", {})).code, status.UNIMPLEMENTED, "the worker has it");
      const byWeb = await callByWeb(`http://${edge.envoy.address}`, { ...sayHello, path }, {});
      assert.equal(byWeb.httpStatus, 404);
    });
  }

  test("headers that are too large are refused, and the connection's other calls are not", async () => {
    using client = connect(edge.envoy.address, greeter);
    const large = await client.call("SayHello", { name: "large" }, { large: "x".repeat(30_000) });
    assert.notEqual(large.code, status.OK);
    assert.equal((await client.call("SayHello", { name: "small" })).code, status.OK);
  });

  test("a call that is out of time ends with DEADLINE_EXCEEDED", async () => {
    using client = connect(edge.envoy.address, greeter);
    const idle = client.open("BidiHello", { "grpc-timeout": "200m" });
    assert.equal((await idle.answer).code, status.DEADLINE_EXCEEDED);
  });

  test("a connection with more calls than its share is told when to try again, and others are not", async () => {
    using other = connect(edge.envoy.address, greeter);
    await using greedy = h2Session(edge.envoy.address);
    let limited: IncomingHttpHeaders | undefined;
    const caller = async () => {
      // What is called does not matter: the limit comes first.
      while (!limited) {
        const headers = await greedy.headersOf({
          ":method": "POST",
          ":path": "/greeter.v1.Greeter/Nothing",
          "content-type": "application/grpc",
        });
        if (headers["grpc-status"] === `${status.RESOURCE_EXHAUSTED}`) limited = headers;
        else assert.equal(headers["grpc-status"], `${status.UNIMPLEMENTED}`);
      }
    };
    await Promise.all(Array.from({ length: 50 }, caller));
    assert.equal(limited?.["grpc-retry-pushback-ms"], "1000");
    assert.equal((await other.call("SayHello", { name: "other" })).code, status.OK);
  });
});
