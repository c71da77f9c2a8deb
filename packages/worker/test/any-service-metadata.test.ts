import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { DebugInfoSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Code, detail, RpcError } from "@gantry/rpc";
import { Metadata, status } from "@grpc/grpc-js";
import type { CallContext } from "../src/call-context.ts";
import { framed, rawSession } from "./support/raw-http2.ts";
import { answerTo, assertServesOn, kitchenWorker } from "./support/server.ts";

const COOK = "/kitchen.v1.Kitchen/Cook";
const EMPTY = framed(Buffer.alloc(0));
const ALL_BYTES = Buffer.from(Uint8Array.from({ length: 256 }, (_, at) => at));

/** Sends all that came in `x-…` back, as headers and as trailers. */
function mirrored(call: CallContext) {
  for (const [key, value] of call.metadata) {
    if (!key.startsWith("x-")) continue;
    call.headers.append(key, value);
    call.trailers.append(key, value);
  }
}

describe("metadata", () => {
  test("goes both ways: texts, bytes, and several values of one key", async () => {
    await using worker = await kitchenWorker({
      cook: (dish, call) => {
        mirrored(call);
        return dish;
      },
      async *serve(dish, call) {
        mirrored(call);
        yield dish;
      },
    });
    const metadata = new Metadata();
    metadata.set("x-text", "Gruezi");
    metadata.set("x-bytes-bin", ALL_BYTES);
    for (const value of [Buffer.from([1]), Buffer.alloc(0), Buffer.from([2, 3])])
      metadata.add("x-several-bin", value);
    const cooked = await worker.client.call("Cook", {}, { metadata });
    const served = await answerTo(worker.client.serve({}, { metadata }));
    for (const { headers, trailers } of [cooked, served]) {
      for (const received of [headers, trailers]) {
        assert.deepEqual(received?.get("x-text"), ["Gruezi"]);
        assert.deepEqual(received?.get("x-bytes-bin"), [ALL_BYTES]);
        assert.deepEqual(received?.get("x-several-bin"), metadata.get("x-several-bin"));
      }
    }
  });

  test("has each of a key's texts by itself, and leaves a text with a comma whole", async () => {
    await using worker = await kitchenWorker({
      cook: (_, { metadata }) => ({
        name: JSON.stringify([metadata.getAll("x-several"), metadata.getAll("x-one")]),
      }),
    });
    const metadata = new Metadata();
    for (const value of ["a", "b, c", "d"]) metadata.add("x-several", value);
    metadata.add("x-one", "Sat, 21 Nov 2026");
    const calls = Array.from({ length: 3 }, () => worker.client.call("Cook", {}, { metadata }));
    for (const { replies } of await Promise.all(calls)) {
      assert.deepEqual(JSON.parse(String(replies[0]?.name)), [["a", "b, c", "d"], ["Sat, 21 Nov 2026"]]);
    }
  });

  test("goes out with each of a key's texts by itself", async () => {
    await using worker = await kitchenWorker({
      cook: (dish, { headers }) => {
        headers.append("x-several", "a").append("x-several", "b, c");
        return dish;
      },
    });
    await using raw = rawSession(worker.port);
    const stream = raw.open(COOK);
    const response = once(stream, "response");
    stream.end(EMPTY);
    const [, , pairs] = await response;
    const values = pairs.filter((_: string, at: number) => pairs[at - 1] === "x-several");
    assert.deepEqual(values, ["a", "b, c"]);
  });

  test("that HTTP/2 or gRPC keep for themselves does not break the answer", async () => {
    const own = {
      connection: "close",
      "transfer-encoding": "chunked",
      te: "trailers",
      upgrade: "h2c",
      host: "kitchen",
      "content-length": "7",
      "content-type": "text/html",
      "grpc-status": "5",
      "grpc-message": "gone",
      "grpc-encoding": "snappy",
      "grpc-accept-encoding": "snappy",
    };
    const forge = ({ headers, trailers }: CallContext) => {
      for (const metadata of [headers, trailers]) {
        for (const [key, value] of Object.entries(own)) metadata.set(key, value);
        metadata.append("location", "here").append("location", "there");
        metadata.set("constructor", "stays").set("x-mine", "stays");
      }
    };
    await using worker = await kitchenWorker({
      cook: (dish, call) => {
        forge(call);
        return dish;
      },
      async *serve(dish, call) {
        forge(call);
        call.sendHeaders();
        yield dish;
        throw new RpcError(Code.NotFound, "really");
      },
    });
    const cooked = await worker.client.call("Cook", { name: "七米" });
    assert.equal(cooked.code, status.OK);
    assert.deepEqual(cooked.replies, [{ name: "七米" }]);
    const served = await answerTo(worker.client.serve({}));
    assert.equal(served.code, status.NOT_FOUND);
    assert.equal(served.details, "really");
    for (const { headers, trailers } of [cooked, served]) {
      for (const received of [headers, trailers]) {
        assert.deepEqual(received?.get("x-mine"), ["stays"]);
        assert.deepEqual(received?.get("constructor"), ["stays"]);
        assert.deepEqual(received?.get("location"), ["here, there"]);
      }
      assert.deepEqual(headers?.get("content-type"), ["application/grpc+proto"]);
    }
    await assertServesOn(worker, { Cook: { OK: 1 }, Serve: { NotFound: 1 } });
  });
});

test("headers may go out before the first message of every kind of call, while its handler still waits", async () => {
  const gate = Promise.withResolvers<void>();
  const early = async (call: CallContext) => {
    call.headers.set("x-early", "yes");
    call.sendHeaders();
    call.headers.set("x-early", "too late");
    await gate.promise;
    return {};
  };
  await using worker = await kitchenWorker({
    cook: (_, call) => early(call),
    async *serve(_, call) {
      yield await early(call);
    },
    collect: (_, call) => early(call),
    async *chat(_, call) {
      yield await early(call);
    },
  });
  await using raw = rawSession(worker.port);
  const streams = ["Cook", "Serve", "Collect", "Chat"].map((method) =>
    raw.open(`/kitchen.v1.Kitchen/${method}`),
  );
  const opened = streams.map((stream) => once(stream.end(EMPTY), "response"));
  for (const [headers] of await Promise.all(opened)) assert.equal(headers["x-early"], "yes");
  // Only now may any of them go on.
  const ended = streams.map((stream) => once(stream.resume(), "trailers"));
  gate.resolve();
  for (const [trailers] of await Promise.all(ended)) assert.equal(trailers["grpc-status"], "0");
});

describe("a status", () => {
  const thrown = async (error: RpcError) => {
    await using worker = await kitchenWorker({
      cook: () => {
        throw error;
      },
    });
    return await worker.client.call("Cook");
  };

  test("may be any of gRPC's codes", async () => {
    for (const code of Object.values(Code).filter((code) => code !== Code.Ok)) {
      assert.equal((await thrown(new RpcError(code, "so"))).code, code);
    }
  });

  const messages = {
    "in any language": "沒有食材 🍜 – não há",
    "with what the encoding itself uses": "100 % of %41 + %E4%BD",
    "with line breaks and control characters": "a\r\nb\u0000\u007f",
    "without a word": "",
  };
  for (const [name, message] of Object.entries(messages)) {
    test(`may have a message ${name}`, async () => {
      const { code, details } = await thrown(new RpcError(Code.NotFound, message));
      assert.equal(code, status.NOT_FOUND);
      assert.equal(details, message);
    });
  }

  test("with half a character in its message arrives with a stand-in for it", async () => {
    const { code, details } = await thrown(new RpcError(Code.NotFound, "a\ud83cz"));
    assert.equal(code, status.NOT_FOUND);
    assert.equal(details, "a\ufffdz");
  });

  for (const [name, character] of Object.entries({
    letters: "x",
    emoji: "🍜",
    "half characters": "\udf5c",
  })) {
    test(`with a message of a million ${name} arrives with the beginning of it`, async () => {
      const { code, details } = await thrown(new RpcError(Code.NotFound, character.repeat(1_000_000)));
      assert.equal(code, status.NOT_FOUND);
      assert.ok(details.length > 100 && details.length < 10_000, String(details.length));
      assert.ok(details.startsWith(character.toWellFormed().repeat(50)) && details.endsWith("…"));
    });
  }

  test("whose details are too large for trailers arrives without them", async () => {
    const large = detail(DebugInfoSchema, create(DebugInfoSchema, { detail: "x".repeat(100_000) }));
    const { code, details, trailers } = await thrown(new RpcError(Code.NotFound, "not here", [large]));
    assert.equal(code, status.NOT_FOUND);
    assert.equal(details, "not here");
    assert.deepEqual(trailers.get("grpc-status-details-bin"), []);
  });
});
