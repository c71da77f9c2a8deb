import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type WebWorker, webWorker } from "./support/web-worker.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

describe("a method is called by its HTTP annotation", () => {
  interface Case {
    readonly name: string;
    readonly call: (worker: WebWorker) => Promise<Response>;
    readonly contentType: string;
    readonly body: string;
  }
  const cases: readonly Case[] = [
    {
      name: "with its fields in the path",
      call: ({ fetch }) => fetch("/api/v1/greeter/%E4%B8%83%E7%B1%B3"),
      contentType: "application/json",
      body: '{"reply":"Hello 七米"}',
    },
    {
      name: "with its request in the body",
      call: ({ post }) => post("/api/v1/math/sum", { vals: [1, 2, 3] }),
      contentType: "application/json",
      body: '{"val":6}',
    },
    {
      name: "and shows the fields that hold their default",
      call: ({ post }) => post("/api/v1/math/sum", { vals: [] }),
      contentType: "application/json",
      body: '{"val":0}',
    },
    {
      name: "streams its responses as lines",
      call: ({ fetch }) => fetch("/api/v1/greeter/you/replies"),
      contentType: "application/x-ndjson",
      body: '{"reply":"hi you"}\n{"reply":"ho you"}\n',
    },
    {
      name: "streams its responses as events to who asks for them",
      call: ({ fetch }) => fetch("/api/v1/greeter/you/replies", { headers: { accept: "text/event-stream" } }),
      contentType: "text/event-stream",
      body: 'data: {"reply":"hi you"}\n\ndata: {"reply":"ho you"}\n\nevent: end\ndata: {}\n\n',
    },
    {
      name: "streams lines to who likes them better than events",
      call: ({ fetch }) =>
        fetch("/api/v1/greeter/you/replies", {
          headers: { accept: "text/event-stream;q=0.5, application/x-ndjson" },
        }),
      contentType: "application/x-ndjson",
      body: '{"reply":"hi you"}\n{"reply":"ho you"}\n',
    },
    {
      name: "takes its requests as lines, the last one with or without its end",
      call: ({ post }) => post("/api/v1/greeter/greetings", '{"name":"a"}\r\n\n{"name":"b"}', NDJSON),
      contentType: "application/json",
      body: '{"reply":"ab"}',
    },
    {
      name: "takes its requests as a JSON list",
      call: ({ post }) => post("/api/v1/greeter/greetings", [{ name: "a" }, { name: "b" }]),
      contentType: "application/json",
      body: '{"reply":"ab"}',
    },
    {
      name: "takes no requests at all",
      call: ({ post }) => post("/api/v1/greeter/greetings", "", NDJSON),
      contentType: "application/json",
      body: '{"reply":""}',
    },
    {
      name: "streams both ways",
      call: ({ post }) => post("/api/v1/greeter/chat", '{"name":"a"}\n{"name":"b"}\n', NDJSON),
      contentType: "application/x-ndjson",
      body: '{"reply":"a!"}\n{"reply":"b!"}\n',
    },
    {
      name: "streams nothing",
      call: ({ fetch }) => fetch("/api/v1/math/fibonacci/0"),
      contentType: "application/x-ndjson",
      body: "",
    },
    {
      name: "answers HEAD as GET, without the body",
      call: ({ fetch }) => fetch("/api/v1/math/version", { method: "HEAD" }),
      contentType: "application/json",
      body: "",
    },
  ];
  for (const { name, call, contentType, body } of cases) {
    test(name, async () => {
      await using worker = await webWorker();
      const response = await call(worker);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), contentType);
      assert.equal(await response.text(), body);
    });
  }

  test("messages go both ways as they come, on one connection of HTTP/1.1", async () => {
    await using worker = await webWorker();
    using raw = await worker.socket();
    raw.send(
      "POST /api/v1/greeter/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const say = (name: string) => {
      const line = `{"name":"${name}"}\n`;
      raw.send(`${line.length.toString(16)}\r\n${line}\r\n`);
    };
    for (const name of ["one", "two", "three"]) {
      say(name);
      await raw.until((text) => text.includes(`{"reply":"${name}!"}\n`));
    }
    raw.send("0\r\n\r\n");
    const text = await raw.until((text) => text.endsWith("0\r\n\r\n"));
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  });

  test("a line that comes in pieces is one message", async () => {
    await using worker = await webWorker();
    using raw = await worker.socket();
    raw.send(
      "POST /api/v1/greeter/greetings HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 36\r\n\r\n",
    );
    const bytes = Buffer.from('{"name":"七"}\n{"name":"米花茶"}\n');
    assert.equal(bytes.byteLength, 36);
    raw.socket.setNoDelay(true);
    for (const byte of bytes) {
      raw.send(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    assert.match(await raw.until((text) => text.endsWith("}")), /\{"reply":"七米花茶"\}$/);
  });
});
