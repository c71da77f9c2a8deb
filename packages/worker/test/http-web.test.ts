import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import type { WebParts } from "../src/web.ts";
import { webWorker } from "./support/web-worker.ts";

describe("a web application beside the worker's own protocols", () => {
  test("gets every request first, and hands on those that are not its own", async () => {
    await using worker = await webWorker({
      web: ({ edge }) => ({
        handle(request, response) {
          if (request.url === "/page") response.end("a page");
          else edge(request, response);
        },
        close() {},
      }),
    });
    assert.equal(await (await worker.fetch("/page")).text(), "a page");
    assert.equal((await worker.fetch("/nope")).status, 404);
    assert.deepEqual(await (await worker.fetch("/healthz")).json(), { status: "SERVING" });
    await worker.assertServes();
  });

  test("calls the worker's services in this process, for whom it says", async () => {
    const seen: unknown[] = [];
    await using worker = await webWorker({
      greeter: {
        sayHello({ name }, { peer, protocol }) {
          seen.push([name, peer, protocol]);
          return {};
        },
      },
      web: ({ client }) => ({
        async handle(_, response) {
          await client(Greeter).sayHello({ name: "by itself" });
          await client(Greeter, { peer: "203.0.113.7:1", protocol: "graphql" }).sayHello({
            name: "for a page",
          });
          response.end();
        },
        close() {},
      }),
    });
    await worker.fetch("/");
    assert.deepEqual(seen, [
      ["by itself", "in-process", "in_process"],
      ["for a page", "203.0.113.7:1", "graphql"],
    ]);
    assert.deepEqual(
      (await worker.metric("gantry_calls_total")).map((line) => line.replace(/.*protocol=/, "")),
      ['"in_process"} 1', '"graphql"} 1'],
    );
  });

  test("takes connections over by the server's event upgrade, and ends them when the worker drains", async () => {
    const closed: string[] = [];
    const worker = await webWorker({
      env: { DRAIN_TIMEOUT: "20s" },
      web: ({ server, edge }) => {
        const sockets = new Set<NodeJS.WritableStream>();
        server.on("upgrade", (_, socket) => {
          sockets.add(socket);
          socket.on("error", () => {});
          socket.write(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
          );
          socket.on("data", (chunk) => socket.write(chunk));
        });
        return {
          handle: edge,
          async close() {
            closed.push("web");
            for (const socket of sockets) socket.end("bye");
          },
        };
      },
    });
    using raw = await worker.socket();
    raw.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await raw.until((text) => text.endsWith("\r\n\r\n"));
    raw.send("hello");
    await raw.until((text) => text.endsWith("hello"));
    const stopped = worker.stop();
    assert.match(await raw.closed(), /hellobye$/);
    await stopped;
    assert.deepEqual(closed, ["web"]);
  });

  test("gives over no connection that offers to speak HTTP/2: its request is answered as any other", async () => {
    await using worker = await webWorker({
      web: ({ server, edge }) => {
        server.on("upgrade", (_, socket) => socket.destroy());
        return { handle: edge, close() {} };
      },
    });
    using raw = await worker.socket();
    raw.send(
      "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    );
    assert.match(await raw.until((text) => text.includes("SERVING")), /^HTTP\/1\.1 200 /);
  });

  test("knows the CORS setting, and the services that there are", async () => {
    const parts = Promise.withResolvers<WebParts>();
    await using _ = await webWorker({
      env: { CORS_ORIGINS: "https://shop.example" },
      web(given) {
        parts.resolve(given);
        return { handle: given.edge, close() {} };
      },
    });
    const { settings, client, server } = await parts.promise;
    assert.deepEqual(settings.corsOrigins, ["https://shop.example"]);
    assert.equal(typeof client(MathService).sum, "function");
    assert.equal(server.listening, false);
    const { Admin } = await import("@gantry/proto/gantry/v1/admin_pb.js");
    assert.equal(typeof client(Admin).explain, "function");
  });

  test("that does not close well does not hold the drain up", async () => {
    const worker = await webWorker({
      web: ({ edge }) => ({
        handle: edge,
        close: () => Promise.reject(new Error("no")),
      }),
    });
    await worker.stop();
  });
});
