import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { badRequest, Code, errorInfo, Metadata, RpcError, retryInfo } from "@gantry/rpc";
import { webWorker } from "./support/web-worker.ts";

describe("an error is google.rpc.Status in JSON, with the HTTP status that goes with its code", () => {
  const thrown: readonly [Code, number][] = [
    [Code.InvalidArgument, 400],
    [Code.OutOfRange, 400],
    [Code.Unauthenticated, 401],
    [Code.PermissionDenied, 403],
    [Code.NotFound, 404],
    [Code.Aborted, 409],
    [Code.ResourceExhausted, 429],
    [Code.Internal, 500],
    [Code.Unimplemented, 501],
    [Code.Unavailable, 503],
    [Code.DeadlineExceeded, 504],
  ];
  for (const [code, status] of thrown) {
    test(`code ${code} is ${status}`, async () => {
      await using worker = await webWorker({
        greeter: {
          sayHello() {
            throw new RpcError(code, "said so", [badRequest([{ field: "name", description: "is odd" }])]);
          },
        },
      });
      const response = await worker.fetch("/api/v1/greeter/you");
      assert.equal(response.status, status);
      assert.deepEqual(await response.json(), {
        code,
        message: "said so",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            fieldViolations: [{ field: "name", description: "is odd" }],
          },
        ],
      });
    });
  }

  test("its own metadata and the trailers of the call are headers", async () => {
    await using worker = await webWorker({
      greeter: {
        sayHello(_, { trailers }) {
          trailers.set("x-trailer", "1");
          throw new RpcError(Code.NotFound, "no", [], { metadata: new Metadata([["x-error", "2"]]) });
        },
      },
    });
    const { headers } = await worker.fetch("/api/v1/greeter/you");
    assert.deepEqual([headers.get("x-trailer"), headers.get("x-error")], ["1", "2"]);
  });

  test("429 and 503 say in whole seconds when to try again, and 401 how to say who one is", async () => {
    const errors = new Map([
      ["quota", new RpcError(Code.ResourceExhausted, "", [retryInfo(1_001)])],
      ["shed", new RpcError(Code.Unavailable, "", [errorInfo("X", "y"), retryInfo(3_000)])],
      ["away", new RpcError(Code.Unavailable, "")],
      ["who", new RpcError(Code.Unauthenticated, "", [retryInfo(1_000)])],
    ]);
    await using worker = await webWorker({
      greeter: {
        sayHello({ name }) {
          throw errors.get(name) ?? new Error(name);
        },
      },
    });
    const headersOf = async (name: string) => {
      const { headers } = await worker.fetch(`/api/v1/greeter/${name}`);
      return [headers.get("retry-after"), headers.get("www-authenticate")];
    };
    assert.deepEqual(await headersOf("quota"), ["2", null]);
    assert.deepEqual(await headersOf("shed"), ["3", null]);
    assert.deepEqual(await headersOf("away"), [null, null]);
    assert.deepEqual(await headersOf("who"), [null, "Bearer"]);
  });

  test("one that nobody expected is neutral, and the log has it", async () => {
    await using worker = await webWorker({
      greeter: {
        sayHello() {
          throw new TypeError("secret");
        },
      },
    });
    const response = await worker.fetch("/api/v1/greeter/you");
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
  });

  for (const [accept, error] of [
    ["*/*", '{"error":{"code":9,"message":"enough","details":[]}}\n'],
    ["text/event-stream", 'event: error\ndata: {"error":{"code":9,"message":"enough","details":[]}}\n\n'],
  ] as const) {
    test(`one after the first message of a stream is its last, for Accept: ${accept}`, async () => {
      await using worker = await webWorker({
        greeter: {
          async *lotsOfReplies() {
            yield { reply: "one" };
            throw new RpcError(Code.FailedPrecondition, "enough");
          },
        },
      });
      const response = await worker.fetch("/api/v1/greeter/you/replies", { headers: { accept } });
      assert.equal(response.status, 200);
      const text = await response.text();
      assert.ok(text.includes('{"reply":"one"}'));
      assert.ok(text.endsWith(error), text);
    });
  }

  test("one before the first message of a stream is an answer like any other", async () => {
    await using worker = await webWorker({
      greeter: {
        // biome-ignore lint/correctness/useYield: it fails before it could
        async *lotsOfReplies() {
          throw new RpcError(Code.FailedPrecondition, "not yet");
        },
      },
    });
    const response = await worker.fetch("/api/v1/greeter/you/replies");
    assert.equal(response.status, 400);
    assert.deepEqual(await response.json(), { code: 9, message: "not yet", details: [] });
  });

  test("a line that is no message ends the stream with what is wrong with it", async () => {
    await using worker = await webWorker();
    const response = await worker.post("/api/v1/greeter/chat", '{"name":"a"}\n{"name":1}\n', {
      "content-type": "application/x-ndjson",
    });
    assert.equal(response.status, 200);
    const [first, last] = (await response.text()).split("\n", 2).map((line) => JSON.parse(line));
    assert.deepEqual(first, { reply: "a!" });
    assert.equal(last.error.code, Code.InvalidArgument);
    assert.equal(last.error.details[0].fieldViolations[0].field, "name");
  });
});
