import assert from "node:assert/strict";
import { hostname } from "node:os";
import { describe, test } from "node:test";
import { BadRequestSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter, type HelloResponse } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code, type Metadata, RpcError } from "@gantry/rpc";
import { createTestWorker } from "@gantry/worker/testing";
import { createGreeter, type GreeterOptions, greeter } from "../src/greeter.ts";

const MIB = 1024 * 1024;

/** What a refused call is refused with: its code, and the field and the reason that it names. */
function refusal(code: Code, field: string, reason: string) {
  return (error: unknown) => {
    assert.ok(error instanceof RpcError);
    const violations = error.details(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
    const found = violations.map((violation) => ({ field: violation.field, reason: violation.reason }));
    assert.deepEqual({ code: error.code, found }, { code, found: [{ field, reason }] });
    return true;
  };
}

async function repliesOf(stream: AsyncIterable<HelloResponse>): Promise<string[]> {
  const replies: string[] = [];
  for await (const { reply } of stream) replies.push(reply);
  return replies;
}

describe("SayHello", () => {
  /** The header `location` and the trailer `timestamp` that a greeter with these options sends. */
  async function metadataOf(options: GreeterOptions) {
    await using worker = await createTestWorker({ services: [createGreeter(options)] });
    let headers: Metadata | undefined;
    let trailers: Metadata | undefined;
    await worker.client(Greeter).sayHello(
      { name: "七米" },
      {
        onHeaders: (received) => {
          headers = received;
        },
        onTrailers: (received) => {
          trailers = received;
        },
      },
    );
    return { location: headers?.get("location"), timestamp: trailers?.get("timestamp") };
  }

  test("greets by name", async () => {
    await using worker = await createTestWorker({ services: [greeter] });
    assert.equal((await worker.client(Greeter).sayHello({ name: "七米" })).reply, "Hello 七米");
  });

  test("says where it is: WORKER_LOCATION, or else the host's name", async () => {
    assert.equal((await metadataOf({ env: { WORKER_LOCATION: "eu-west-1" } })).location, "eu-west-1");
    assert.equal((await metadataOf({ env: {} })).location, hostname());
    assert.equal((await metadataOf({ env: { WORKER_LOCATION: "" } })).location, hostname());
  });

  test("says where it is even where metadata has no letters for it", async () => {
    assert.equal((await metadataOf({ env: { WORKER_LOCATION: "Zürich 1" } })).location, "Z%C3%BCrich 1");
  });

  test("says when it was, in whole seconds", async () => {
    assert.equal((await metadataOf({ env: {}, now: () => 1_700_000_000_999 })).timestamp, "1700000000");
  });
});

test("LotsOfReplies greets in every language", async () => {
  await using worker = await createTestWorker({ services: [greeter] });
  const replies = await repliesOf(worker.client(Greeter).lotsOfReplies({ name: "七米" }));
  assert.deepEqual(replies, ["你好七米", "hello七米", "こんにちは七米", "안녕하세요七米"]);
});

describe("LotsOfGreetings", () => {
  /** Sends the same name so many times, and counts how often the service asked for another. */
  function names(name: string, count: number) {
    const sent = { count: 0, closed: false };
    function* requests() {
      try {
        for (; sent.count < count; ) {
          sent.count += 1;
          yield { name };
        }
      } finally {
        sent.closed = true;
      }
    }
    return { sent, requests: requests() };
  }

  test("greets everybody at once, in the order in which they came", async () => {
    await using worker = await createTestWorker({ services: [greeter] });
    const { reply } = await worker
      .client(Greeter)
      .lotsOfGreetings([{ name: "七米" }, { name: "Ann" }, { name: "Bob" }]);
    assert.equal(reply, "你好：七米AnnBob");
  });

  test("greets nobody where nobody came", async () => {
    await using worker = await createTestWorker({ services: [greeter] });
    assert.equal((await worker.client(Greeter).lotsOfGreetings([])).reply, "你好：");
  });

  test("takes 10,000 names, and stops at the next one", async () => {
    await using worker = await createTestWorker({ services: [greeter] });
    const { reply } = await worker.client(Greeter).lotsOfGreetings(names("a", 10_000).requests);
    assert.equal(reply.length, "你好：".length + 10_000);

    const { sent, requests } = names("a", 1_000_000);
    await assert.rejects(
      worker.client(Greeter).lotsOfGreetings(requests),
      refusal(Code.OutOfRange, "name", "TOO_MANY_NAMES"),
    );
    assert.deepEqual(sent, { count: 10_001, closed: true });
  });

  test("answers with 1 MiB of UTF-8, and stops at the first byte past it", async () => {
    await using worker = await createTestWorker({ services: [greeter] });
    const full = Array.from({ length: 4_095 }, () => ({ name: "a".repeat(256) }));
    const last = { name: "a".repeat(MIB - Buffer.byteLength("你好：") - 4_095 * 256) };
    const { reply } = await worker.client(Greeter).lotsOfGreetings([...full, last]);
    assert.equal(Buffer.byteLength(reply), MIB);

    await assert.rejects(
      worker.client(Greeter).lotsOfGreetings([...full, last, { name: "a" }]),
      refusal(Code.OutOfRange, "name", "REPLY_TOO_LONG"),
    );
    const { sent, requests } = names("七".repeat(256), 9_999);
    await assert.rejects(
      worker.client(Greeter).lotsOfGreetings(requests),
      refusal(Code.OutOfRange, "name", "REPLY_TOO_LONG"),
    );
    assert.deepEqual(sent, { count: Math.ceil((MIB - 9) / (256 * 3)), closed: true });
  });
});

test("BidiHello answers every message before it gets the next one", async () => {
  await using worker = await createTestWorker({ services: [greeter] });
  const conversation = [
    ["你好吗？", "我好!"],
    ["你吃饭吧?", "我吃饭!"],
    ["你们都好吗，吧？？", "我们都好，!!"],
    ["hello", "hello"],
  ] as const;
  let answered = Promise.withResolvers<void>();
  async function* questions() {
    for (const [name] of conversation) {
      answered = Promise.withResolvers();
      yield { name };
      await answered.promise;
    }
  }
  const replies: string[] = [];
  for await (const { reply } of worker.client(Greeter).bidiHello(questions(), { timeoutMs: 10_000 })) {
    replies.push(reply);
    answered.resolve();
  }
  assert.deepEqual(
    replies,
    conversation.map(([, reply]) => reply),
  );
});

describe("a name has 1 to 256 characters, none of them a control character", () => {
  const longest = "👋".repeat(256);
  const wrong = [
    { name: "", reason: "string.min_len" },
    { name: `${longest}a`, reason: "string.max_len" },
    { name: "a\nb", reason: "string.pattern" },
    { name: "a\u0085b", reason: "string.pattern" },
  ];

  test("in a single request", async () => {
    await using worker = await createTestWorker({ services: [greeter] });
    const client = worker.client(Greeter);
    assert.equal((await client.sayHello({ name: longest })).reply, `Hello ${longest}`);
    for (const { name, reason } of wrong) {
      await assert.rejects(client.sayHello({ name }), refusal(Code.InvalidArgument, "name", reason));
      await assert.rejects(
        repliesOf(client.lotsOfReplies({ name })),
        refusal(Code.InvalidArgument, "name", reason),
      );
    }
  });

  test("in every message of a stream", async () => {
    await using worker = await createTestWorker({ services: [greeter] });
    const client = worker.client(Greeter);
    for (const { name, reason } of wrong) {
      await assert.rejects(
        client.lotsOfGreetings([{ name: "Ann" }, { name }]),
        refusal(Code.InvalidArgument, "name", reason),
      );
      const replies: string[] = [];
      await assert.rejects(
        async () => {
          for await (const { reply } of client.bidiHello([{ name: "Ann" }, { name }])) replies.push(reply);
        },
        refusal(Code.InvalidArgument, "name", reason),
      );
      assert.deepEqual(replies, ["Ann"]);
    }
  });
});
