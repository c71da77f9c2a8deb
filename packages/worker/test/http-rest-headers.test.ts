import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { webWorker } from "./support/web-worker.ts";

describe("headers are metadata", () => {
  test("those of the request, but for HTTP's own", async () => {
    const seen = Promise.withResolvers<[string, unknown][]>();
    await using worker = await webWorker({
      greeter: {
        sayHello(_, { metadata, peer }) {
          seen.resolve([...metadata, ["peer", peer.replace(/\d+$/, "port")]]);
          return {};
        },
      },
    });
    using raw = await worker.socket();
    raw.send(
      [
        "GET /api/v1/greeter/you HTTP/1.1",
        "Host: x",
        "Authorization: Bearer secret",
        "X-Twice: one",
        "X-Twice: two",
        "Key-Bin: AQI=",
        "Key-Bin: AwQ",
        "Accept: */*",
        "Accept-Encoding: gzip",
        "Grpc-Timeout: 5S",
        "Connection: keep-alive, X-Hop",
        "X-Hop: gone",
        "Keep-Alive: 5",
        "TE: trailers",
        "X-Bad-Value: \xe4",
        "User-Agent: raw",
        "",
        "",
      ].join("\r\n"),
    );
    assert.deepEqual(await seen.promise, [
      ["authorization", "Bearer secret"],
      ["x-twice", "one"],
      ["x-twice", "two"],
      ["key-bin", Buffer.from([1, 2])],
      ["key-bin", Buffer.from([3, 4])],
      ["user-agent", "raw"],
      ["peer", "127.0.0.1:port"],
    ]);
  });

  test("response headers and trailers are headers, but none that would change what the answer is", async () => {
    await using worker = await webWorker({
      greeter: {
        sayHello(_, { headers, trailers }) {
          headers
            .append("x-list", "a")
            .append("x-list", "b")
            .set("key-bin", new Uint8Array([255, 254]));
          for (const key of ["content-length", "content-encoding", "transfer-encoding", "connection"]) {
            headers.set(key, "7");
          }
          trailers.set("timestamp", "42").set("access-control-allow-origin", "*");
          return { reply: "hi" };
        },
      },
    });
    const { status, headers } = await worker.fetch("/api/v1/greeter/you");
    assert.equal(status, 200);
    assert.equal(headers.get("x-list"), "a, b");
    assert.equal(headers.get("key-bin"), "//4=");
    assert.equal(headers.get("timestamp"), "42");
    assert.equal(headers.get("content-length"), "14");
    for (const name of ["content-encoding", "transfer-encoding", "access-control-allow-origin"]) {
      assert.equal(headers.get(name), null, name);
    }
  });

  test("a stream's headers come before its first message, when the handler sends them", async () => {
    const goOn = Promise.withResolvers<void>();
    await using worker = await webWorker({
      greeter: {
        async *lotsOfReplies(_, call) {
          call.headers.set("x-early", "yes");
          call.sendHeaders();
          await goOn.promise;
          yield { reply: "late" };
        },
      },
    });
    const response = await worker.fetch("/api/v1/greeter/you/replies");
    assert.equal(response.headers.get("x-early"), "yes");
    goOn.resolve();
    assert.equal(await response.text(), '{"reply":"late"}\n');
  });

  test("a stream's trailers are those of HTTP, for who says that it takes them", async () => {
    await using worker = await webWorker({
      greeter: {
        async *lotsOfReplies(_, { trailers }) {
          yield { reply: "one" };
          trailers.set("timestamp", "42");
        },
      },
    });
    using raw = await worker.socket();
    raw.send("GET /api/v1/greeter/you/replies HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n\r\n");
    assert.match(
      await raw.until((text) => /\r\n0\r\n(.+\r\n)*\r\n$/.test(text)),
      /\r\n0\r\n(.+\r\n)*timestamp: 42\r\n/,
    );
  });
});
