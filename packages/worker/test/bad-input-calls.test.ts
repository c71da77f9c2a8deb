import assert from "node:assert/strict";
import { constants } from "node:http2";
import { describe, test } from "node:test";
import { Metadata, status } from "@grpc/grpc-js";
import { framed, rawSession } from "./support/raw-http2.ts";
import { assertServesOn, kitchenWorker } from "./support/server.ts";

const KIB = 1024;
const COOK = "/kitchen.v1.Kitchen/Cook";
const NO_MESSAGE = framed(Buffer.alloc(0));

describe("a call of what is not served is UNIMPLEMENTED", () => {
  const paths = {
    "an unknown method": "/kitchen.v1.Kitchen/Bake",
    "an unknown service": "/kitchen.v2.Kitchen/Cook",
    "another case": "/kitchen.v1.Kitchen/cook",
    "no method": "/kitchen.v1.Kitchen/",
    "nothing of the kind": "/",
    "a path that is no text": '/kitchen.v1.Kitchen/%E4%BD%zz"\\',
    "a path as long as headers can be": `/${"k".repeat(60 * KIB)}`,
  };
  for (const [name, path] of Object.entries(paths)) {
    test(name, async () => {
      await using worker = await kitchenWorker();
      await using raw = rawSession(worker.port);
      const { trailers } = await raw.call(path, NO_MESSAGE);
      assert.equal(trailers[":status"], 200);
      assert.equal(trailers["grpc-status"], String(status.UNIMPLEMENTED));
      await assertServesOn(worker, {});
    });
  }

  test("a method that its author left out", async () => {
    await using worker = await kitchenWorker();
    const { code, details } = await worker.client.call("Invent", { name: "七米" });
    assert.equal(code, status.UNIMPLEMENTED);
    assert.equal(details, "kitchen.v1.Kitchen/Invent is not implemented here.");
    await assertServesOn(worker, { Invent: { Unimplemented: 1 } });
  });
});

test("a request that is no gRPC is answered as HTTP", async () => {
  await using worker = await kitchenWorker();
  await using raw = rawSession(worker.port);
  const { headers } = await raw.call(COOK, Buffer.from("{}"), { "content-type": "application/json" });
  assert.equal(headers[":status"], constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE);
  await assertServesOn(worker, {});
});

describe("metadata", () => {
  const of = (bytes: number) => {
    const metadata = new Metadata();
    metadata.set("x-large", "x".repeat(bytes));
    return { metadata };
  };

  test("over 16 KiB is RESOURCE_EXHAUSTED, for every kind of call", async () => {
    await using worker = await kitchenWorker();
    const unary = await worker.client.call("Cook", {}, of(16 * KIB));
    assert.equal(unary.code, status.RESOURCE_EXHAUSTED);
    assert.match(unary.details, /^The request's metadata has 16\d{3} bytes: expected at most 16 KiB\.$/);
    const stream = await worker.client.collect(of(16 * KIB)).answer;
    assert.equal(stream.code, status.RESOURCE_EXHAUSTED);
    await assertServesOn(worker, { Cook: { ResourceExhausted: 1 }, Collect: { ResourceExhausted: 1 } });
  });

  test("of 15 KiB passes", async () => {
    await using worker = await kitchenWorker();
    assert.equal((await worker.client.call("Cook", {}, of(15 * KIB))).code, status.OK);
    await assertServesOn(worker, { Cook: { OK: 1 } });
  });

  test("in many small pieces counts with what HTTP/2 adds to each: 32 bytes", async () => {
    await using worker = await kitchenWorker();
    const metadata = new Metadata();
    for (let at = 0; at < 100; at += 1) metadata.set(`x-${at}`, "x".repeat(150));
    const { code } = await worker.client.call("Cook", {}, { metadata });
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    await assertServesOn(worker, { Cook: { ResourceExhausted: 1 } });
  });

  test("far past that still gets that answer", async () => {
    await using worker = await kitchenWorker();
    const { metadata } = of(60 * KIB);
    metadata.set("x-other", "x".repeat(60 * KIB));
    const { code, details } = await worker.client.call("Cook", {}, { metadata });
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    assert.match(details, /has 12\d{4} bytes: expected at most 16 KiB/);
    await assertServesOn(worker, { Cook: { ResourceExhausted: 1 } });
  });

  // What follows never becomes a call: HTTP/2 drops it before anyone sees its headers.
  test("of more than 128 pairs is reset by HTTP/2, which gRPC clients take for RESOURCE_EXHAUSTED", async () => {
    await using worker = await kitchenWorker();
    const metadata = new Metadata();
    for (let at = 0; at < 130; at += 1) metadata.set(`x-${at}`, "x");
    assert.equal((await worker.client.call("Cook", {}, { metadata })).code, status.RESOURCE_EXHAUSTED);
    assert.equal((await worker.client.call("Cook")).code, status.OK, "the connection goes on");
    await assertServesOn(worker, { Cook: { OK: 1 } });
  });

  const excessive = {
    "with one value past 64 KiB": { "x-large": "x".repeat(100 * KIB) },
    "in more than nine frames of 16 KiB": Object.fromEntries(
      Array.from({ length: 4 }, (_, at) => [`x-${at}`, "x".repeat(50 * KIB)]),
    ),
  };
  for (const [name, headers] of Object.entries(excessive)) {
    test(`${name} costs its client the connection, and nobody else theirs`, async () => {
      await using worker = await kitchenWorker();
      await using raw = rawSession(worker.port, { maxSendHeaderBlockLength: 1024 * KIB });
      const closed = new Promise((resolve) => raw.session.once("close", resolve));
      void raw.call(COOK, NO_MESSAGE, headers);
      await closed;
      await assertServesOn(worker, {});
    });
  }

  test("of the worker's own use cannot be forged", async () => {
    await using worker = await kitchenWorker(
      { cook: (_, { metadata }) => ({ count: metadata.size, name: [...metadata].join() }) },
      { env: { COMPRESSION: "gzip" } },
    );
    await using raw = rawSession(worker.port);
    const { code, headers } = await raw.call(COOK, NO_MESSAGE, {
      "gantry-metadata-bytes": "99999",
      "gantry-accept-encoding": "gzip",
    });
    assert.equal(code, status.OK);
    assert.equal(headers["grpc-encoding"], "identity");
  });
});
