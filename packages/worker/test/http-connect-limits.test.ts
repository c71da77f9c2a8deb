import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Code, RpcError, retryInfo } from "@gantry/rpc";
import { webWorker } from "./support/web-worker.ts";

describe("what Connect has HTTP for", () => {
  test("429 says when to try again", async () => {
    await using worker = await webWorker({
      greeter: {
        sayHello() {
          throw new RpcError(Code.ResourceExhausted, "", [retryInfo(7_000)]);
        },
      },
    });
    const { status, headers } = await worker.post("/greeter.v1.Greeter/SayHello", { name: "you" });
    assert.deepEqual([status, headers.get("retry-after")], [429, "7"]);
  });

  test("a service's other names are paths as well", async () => {
    await using worker = await webWorker();
    const response = await worker.post("/pb.Greeter/SayHello", { name: "you" });
    assert.deepEqual([response.status, await response.json()], [200, { reply: "Hello you" }]);
  });

  test("what streams both ways needs HTTP/2, and says so", async () => {
    await using worker = await webWorker();
    const { status, headers } = await worker.fetch("/greeter.v1.Greeter/BidiHello", {
      method: "POST",
      headers: { "content-type": "application/connect+json" },
      body: "",
    });
    assert.deepEqual([status, headers.get("connection")], [505, "close"]);
  });
});

describe("messages past 4 MiB", () => {
  const large = `{"name":"${"x".repeat(5 * 1024 * 1024)}"}`;

  test("are refused where they are requests, packed ones by what they unpack to", async () => {
    await using worker = await webWorker();
    const plain = await worker.post("/greeter.v1.Greeter/SayHello", large);
    assert.deepEqual([plain.status, (await plain.json()).code], [429, "resource_exhausted"]);
    const packed = await worker.fetch("/greeter.v1.Greeter/SayHello", {
      method: "POST",
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
      body: gzipSync(`{"name":"${"x".repeat(200 * 1024 * 1024)}"}`),
    });
    assert.deepEqual([packed.status, (await packed.json()).code], [429, "resource_exhausted"]);
    await worker.assertServes();
  });

  test("are refused where they are replies", async () => {
    await using worker = await webWorker({
      greeter: { sayHello: () => ({ reply: "x".repeat(4 * 1024 * 1024) }) },
    });
    const response = await worker.post("/greeter.v1.Greeter/SayHello", { name: "you" });
    assert.deepEqual([response.status, (await response.json()).code], [429, "resource_exhausted"]);
  });
});

for (const [compression, encoding] of [
  ["none", null],
  ["gzip", "gzip"],
] as const) {
  test(`COMPRESSION=${compression}: replies of 1 KiB and more have content-encoding ${encoding}`, async () => {
    await using worker = await webWorker({
      greeter: { sayHello: () => ({ reply: "x".repeat(2_000) }) },
      env: { COMPRESSION: compression },
    });
    const response = await worker.post(
      "/greeter.v1.Greeter/SayHello",
      { name: "you" },
      { "accept-encoding": "gzip" },
    );
    assert.equal(response.headers.get("content-encoding"), encoding);
    assert.equal((await response.json()).reply.length, 2_000);
  });
}

test("a client that does not read is cut off when its deadline passes, and its call ends", async () => {
  const ended = Promise.withResolvers<void>();
  await using worker = await webWorker({
    greeter: {
      async *lotsOfReplies() {
        try {
          for (;;) yield { reply: "x".repeat(1024 * 1024) };
        } finally {
          ended.resolve();
        }
      },
    },
  });
  using raw = await worker.socket();
  raw.socket.pause();
  const body = Buffer.from('\0\0\0\0\x0e{"name":"you"}');
  raw.send(
    `POST /greeter.v1.Greeter/LotsOfReplies HTTP/1.1\r\nHost: x\r\nContent-Type: application/connect+json\r\nConnect-Timeout-Ms: 300\r\nContent-Length: ${body.byteLength}\r\n\r\n`,
  );
  raw.send(body);
  await ended.promise;
  await worker.assertServes();
});
