import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Code } from "@gantry/rpc";
import { io, type Socket } from "socket.io-client";
import { type Edge, needsEdge, startEdge } from "./support/edge.ts";

suite("the gateway's pages through Envoy", needsEdge(), () => {
  let edge: Edge;
  let origin = "";
  before(async () => {
    // Two, so that what has to stay with one of them shows.
    edge = await startEdge({ gateways: 2, settings: { DRAIN_DELAY: "5s" } });
    origin = `http://${edge.envoy.address}`;
  });
  after(() => edge[Symbol.asyncDispose]());

  test("/rpc answers in plain text", async () => {
    const response = await fetch(`${origin}/rpc?name=${encodeURIComponent("七米")}`);
    assert.equal(await response.text(), "Response from gRPC server: Hello 七米");
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    const line = await edge.envoy.logged(({ method }) => method === "/rpc");
    assert.ok(edge.gateways.some(({ host }) => line.worker === `${host.address}:8080`));
  });

  /** What GraphQL answers to a query. */
  const ask = async (query: string, accept = "application/json") => {
    const headers = { "content-type": "application/json", accept };
    const body = JSON.stringify({ query });
    return (await fetch(`${origin}/graphql`, { method: "POST", headers, body })).text();
  };

  test("/graphql answers, and tells what is wrong", async () => {
    const answer = await ask('{ greeterSayHello(name: "七米") { reply } }');
    assert.deepEqual(JSON.parse(answer), { data: { greeterSayHello: { reply: "Hello 七米" } } });
    assert.match(JSON.parse(await ask("{ nothing }")).errors[0].message, /nothing/);
  });

  test("a subscription of GraphQL has all its messages", async () => {
    const query = 'subscription { greeterLotsOfReplies(name: "七米") { reply } }';
    const replies = (await ask(query, "text/event-stream")).match(/"reply":"[^"]*七米"/g);
    assert.ok(replies && replies.length > 1, `${replies}`);
  });

  for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
    test(`chat over Socket.IO by ${transports.join(", then ")}`, async () => {
      const client = io(origin, { transports, forceNew: true, reconnection: false });
      try {
        for (const [text, reply] of [
          ["在吗?", "在!"],
          ["你好吗？", "我好!"],
        ] as const) {
          client.emit("message", text);
          assert.equal(await nextMessage(client), reply);
        }
      } finally {
        client.disconnect();
      }
    });
  }

  test("nothing else of the gateway is reachable, such as its health and its own methods' document", async () => {
    for (const path of ["/", "/healthz", "/openapi.json", "/rpc/", "/graphql/x", "/socket.iox"]) {
      const response = await fetch(origin + path);
      assert.equal(response.status, 404, path);
      const body = (await response.json()) as { code: number };
      assert.equal(body.code, Code.NotFound);
    }
  });

  test("a gateway that drains gets no more calls, and none fails", async () => {
    const [leaving] = edge.gateways;
    const one = await edge.worker("gateway");
    await edge.serve("gateway", [...edge.gateways, one]);
    leaving?.signal("SIGTERM");
    let over = false;
    const exited = leaving?.exited.finally(() => {
      over = true;
    });
    let calls = 0;
    while (!over) {
      const response = await fetch(`${origin}/rpc?name=caller${calls}`);
      assert.equal(response.status, 200, await response.text());
      calls += 1;
    }
    assert.deepEqual(await exited, { code: 0, signal: null });
    assert.ok(calls > 10, `${calls} calls`);
  });
});

function nextMessage(client: Socket): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.once("message", resolve);
    client.once("connect_error", reject);
    client.once("disconnect", (reason) => reject(new Error(reason)));
    client.once("message:error", (failure) => reject(new Error(JSON.stringify(failure))));
  });
}
