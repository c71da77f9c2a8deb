import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { compressionAlgorithms, status } from "@grpc/grpc-js";
import { framed, rawSession } from "./support/raw-http2.ts";
import { answerTo, assertServesOn, kitchenWorker } from "./support/server.ts";

const COOK = "/kitchen.v1.Kitchen/Cook";
const GZIP = { env: { COMPRESSION: "gzip" } };
/** `{ name: "七七七七…" }` with a thousand of them. */
const DISH = Buffer.concat([Buffer.from([0x0a, 0xb8, 0x17]), Buffer.from("七".repeat(1_000))]);

describe("compressed requests are read", () => {
  for (const [encoding, compress] of Object.entries({ gzip: gzipSync, deflate: deflateSync })) {
    test(`in ${encoding}, beside messages that are not compressed`, async () => {
      await using worker = await kitchenWorker();
      await using raw = rawSession(worker.port);
      const body = Buffer.concat([framed(compress(DISH), { compressed: true }), framed(DISH)]);
      const { code, messages } = await raw.call("/kitchen.v1.Kitchen/Chat", body, {
        "grpc-encoding": encoding,
      });
      assert.equal(code, status.OK);
      assert.deepEqual(messages, [
        { compressed: false, bytes: DISH },
        { compressed: false, bytes: DISH },
      ]);
    });
  }

  for (const algorithm of [compressionAlgorithms.deflate, compressionAlgorithms.gzip]) {
    test(`of a plain client with algorithm ${algorithm}`, async () => {
      await using worker = await kitchenWorker();
      const client = worker.connect({ "grpc.default_compression_algorithm": algorithm });
      const name = "七".repeat(100_000);
      assert.deepEqual((await client.call("Cook", { name })).replies, [{ name }]);
    });
  }
});

describe("replies are compressed", () => {
  test("where a setting asks for it and the client accepts it", async () => {
    await using worker = await kitchenWorker({}, GZIP);
    await using raw = rawSession(worker.port);
    const { code, headers, messages } = await raw.call(COOK, framed(DISH), {
      "grpc-accept-encoding": "identity, deflate,gzip",
    });
    assert.equal(code, status.OK);
    assert.equal(headers["grpc-encoding"], "gzip");
    const [message] = messages;
    assert.equal(message?.compressed, true);
    assert.ok(message.bytes.length < 100, `${message.bytes.length} bytes`);
    assert.deepEqual(gunzipSync(message.bytes), DISH);
  });

  test("in streams, and plain clients read them", async () => {
    await using worker = await kitchenWorker({}, GZIP);
    const name = "七".repeat(10_000);
    assert.deepEqual((await worker.client.call("Cook", { name })).replies, [{ name }]);
    const { code, replies } = await answerTo(worker.client.serve({ name, count: 3 }));
    assert.equal(code, status.OK);
    assert.deepEqual(replies, [
      { name, count: 1 },
      { name, count: 2 },
      { name, count: 3 },
    ]);
    await assertServesOn(worker, { Cook: { OK: 1 }, Serve: { OK: 1 } });
  });
});

describe("replies are not compressed", () => {
  for (const accepted of [undefined, "identity", "deflate", "br,zstd", "gzipped"]) {
    test(`where the client accepts ${accepted ?? "nothing"}`, async () => {
      await using worker = await kitchenWorker({}, GZIP);
      await using raw = rawSession(worker.port);
      const headers = accepted === undefined ? {} : { "grpc-accept-encoding": accepted };
      const answer = await raw.call(COOK, framed(DISH), headers);
      assert.equal(answer.headers["grpc-encoding"], "identity");
      assert.deepEqual(answer.messages, [{ compressed: false, bytes: DISH }]);
    });
  }

  test("where no setting asks for it", async () => {
    await using worker = await kitchenWorker();
    await using raw = rawSession(worker.port);
    const { headers, messages } = await raw.call(COOK, framed(DISH), { "grpc-accept-encoding": "gzip" });
    assert.equal(headers["grpc-encoding"], "identity");
    assert.deepEqual(messages, [{ compressed: false, bytes: DISH }]);
  });

  for (const [name, bytes] of Object.entries({
    "that are small": Buffer.from([0x0a, 0x01, 0x41]),
    "that do not get shorter by it": Buffer.concat([Buffer.from([0x1a, 0x80, 0x20]), randomBytes(4_096)]),
  })) {
    test(`${name}, though the encoding is announced`, async () => {
      await using worker = await kitchenWorker({}, GZIP);
      await using raw = rawSession(worker.port);
      const { headers, messages } = await raw.call(COOK, framed(bytes), { "grpc-accept-encoding": "gzip" });
      assert.equal(headers["grpc-encoding"], "gzip");
      assert.deepEqual(messages, [{ compressed: false, bytes }]);
    });
  }
});
