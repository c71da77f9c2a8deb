import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { type WebWorker, webWorker } from "./support/web-worker.ts";

const MIB = 1024 * 1024;
const SUM = "/api/v1/math/sum";

let worker: WebWorker;
before(async () => {
  worker = await webWorker();
});
after(() => worker.stop());

/** Says something on a connection of its own, and gives back all that comes until it is closed. */
async function answerTo(said: string): Promise<string> {
  using raw = await worker.socket();
  raw.send(said);
  return await raw.closed();
}

describe("a request that could be read in two ways is 400, and its connection closed", () => {
  const json = "Content-Type: application/json\r\n";
  const smuggled = "GET /api/v1/math/version HTTP/1.1\r\nHost: x\r\n\r\n";
  const requests: Readonly<Record<string, string>> = {
    "a length and chunks": `POST ${SUM} HTTP/1.1\r\nHost: x\r\n${json}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    "chunks and a length": `POST ${SUM} HTTP/1.1\r\nHost: x\r\n${json}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
    "two lengths": `POST ${SUM} HTTP/1.1\r\nHost: x\r\n${json}Content-Length: 2\r\nContent-Length: 50\r\n\r\n{}${smuggled}`,
    "two lengths in one": `POST ${SUM} HTTP/1.1\r\nHost: x\r\n${json}Content-Length: 2, 2\r\n\r\n{}`,
    "a length that is no number": `POST ${SUM} HTTP/1.1\r\nHost: x\r\n${json}Content-Length: +2\r\n\r\n{}`,
    "a coding that is not the last": `POST ${SUM} HTTP/1.1\r\nHost: x\r\n${json}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    "a chunk that is no number": `POST ${SUM} HTTP/1.1\r\nHost: x\r\n${json}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n`,
    "a chunk that ends elsewhere": `POST ${SUM} HTTP/1.1\r\nHost: x\r\n${json}Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n0\r\n\r\n`,
    "a header that goes on": `GET /api/v1/math/version HTTP/1.1\r\nHost: x\r\nX-Folded: one\r\n two\r\n\r\n`,
    "a line feed alone": `GET /api/v1/math/version HTTP/1.1\nHost: x\n\n`,
    "a line feed alone between headers": `GET /api/v1/math/version HTTP/1.1\r\nHost: x\nX-Other: y\r\n\r\n`,
    "a carriage return in a value": `GET /api/v1/math/version HTTP/1.1\r\nHost: x\r\nX-Other: a\rb\r\n\r\n`,
    "a zero byte in a value": `GET /api/v1/math/version HTTP/1.1\r\nHost: x\r\nX-Other: a\0b\r\n\r\n`,
    "a space before the colon": `GET /api/v1/math/version HTTP/1.1\r\nHost: x\r\nContent-Length : 0\r\n\r\n`,
    "a name that is none": `GET /api/v1/math/version HTTP/1.1\r\nHost: x\r\nBad/Name: y\r\n\r\n`,
    "no host": `GET /api/v1/math/version HTTP/1.1\r\n\r\n`,
    "no method": `/api/v1/math/version HTTP/1.1\r\nHost: x\r\n\r\n`,
    "another version": `GET /api/v1/math/version HTTP/3.7\r\nHost: x\r\n\r\n`,
    "a client hello of TLS": `\x16\x03\x01\x00\xf1\x01\x00\x00\xed\x03\x03`,
  };
  for (const [name, request] of Object.entries(requests)) {
    test(name, async () => {
      const answer = await answerTo(request);
      assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
      assert.match(answer, /\r\nConnection: close\r\n/i);
      assert.equal(answer.split("HTTP/1.1 ").length, 2, "it is answered once");
      await worker.assertServes();
    });
  }
});

describe("a request that cannot be served is an error in JSON", () => {
  interface Case {
    readonly path: string;
    readonly init?: RequestInit;
    readonly status: number;
    readonly message: RegExp;
    readonly headers?: Readonly<Record<string, string>>;
  }
  const json = { "content-type": "application/json" };
  const post = (body: BodyInit, headers: Record<string, string> = json) => ({
    method: "POST",
    body,
    headers,
  });
  const large = `{"vals":[${"1,".repeat(3 * MIB)}1]}`;
  const cases: Readonly<Record<string, Case>> = {
    "an unknown path": { path: "/nope", status: 404, message: /^There is nothing at \/nope\.$/ },
    "an unknown method": { path: "/math.v1.Math/Nope", status: 404, message: /nothing at/ },
    "an unknown service": {
      path: "/acme.v1.Unknown/Do",
      init: post("{}"),
      status: 404,
      message: /nothing at/,
    },
    "a path that is not well encoded": { path: "/api/v1/greeter/%E4%B8", status: 400, message: /name/ },
    "the wrong verb": {
      path: SUM,
      init: { method: "PUT" },
      status: 405,
      message: /does not take PUT: expected POST or OPTIONS/,
      headers: { allow: "POST, OPTIONS" },
    },
    "the wrong verb for a stream": {
      path: "/api/v1/greeter/you/replies",
      init: { method: "DELETE" },
      status: 405,
      message: /expected GET, HEAD or OPTIONS/,
      headers: { allow: "GET, HEAD, OPTIONS" },
    },
    "the wrong verb for a page": {
      path: "/healthz",
      init: { method: "POST" },
      status: 405,
      message: /expected/,
    },
    "the wrong verb for a method's own path": {
      path: "/math.v1.Math/Accumulate",
      init: { method: "GET" },
      status: 405,
      message: /expected POST or OPTIONS/,
    },
    "JSON that is none": { path: SUM, init: post('{"vals":[1,}'), status: 400, message: /JSON/ },
    "a field that is not known": { path: SUM, init: post('{"vales":[1]}'), status: 400, message: /vales/ },
    "a number that is too large": {
      path: SUM,
      init: post('{"vals":[2147483648]}'),
      status: 400,
      message: /vals/,
    },
    "a parameter that is not known": {
      path: "/api/v1/math/version?colour=red",
      status: 400,
      message: /colour/,
    },
    "bytes that are no UTF-8": {
      path: SUM,
      init: post(new Uint8Array([0x22, 0xff, 0x22])),
      status: 400,
      message: /not valid UTF-8/,
    },
    "another content type": {
      path: SUM,
      init: post("vals=1", { "content-type": "application/x-www-form-urlencoded" }),
      status: 415,
      message: /"application\/x-www-form-urlencoded": expected application\/json\.$/,
    },
    "another content type for a stream": {
      path: "/api/v1/greeter/greetings",
      init: post("x", { "content-type": "text/csv" }),
      status: 415,
      message: /expected application\/x-ndjson/,
    },
    "another content type for a method's own path": {
      path: "/math.v1.Math/Sum",
      init: post("x", { "content-type": "text/plain" }),
      status: 415,
      message: /expected application\/json/,
    },
    "gRPC, which needs HTTP/2": {
      path: "/math.v1.Math/Sum",
      init: post("x", { "content-type": "application/grpc" }),
      status: 415,
      message: /expected HTTP\/2/,
    },
    "a body that is compressed": {
      path: SUM,
      init: post(gzipSync("{}"), { ...json, "content-encoding": "gzip" }),
      status: 415,
      message: /expected it as it is/,
      headers: { "accept-encoding": "identity" },
    },
    "a body that is too large": { path: SUM, init: post(large), status: 413, message: /more than 4 MiB/ },
    "a list that is too large": {
      path: "/api/v1/math/accumulate",
      init: post(`[${'{"val":1},'.repeat(MIB)}{"val":1}]`),
      status: 413,
      message: /more than 4 MiB/,
    },
    "a line that is too large": {
      path: "/api/v1/greeter/greetings",
      init: post(`{"name":"${"x".repeat(5 * MIB)}"}`, { "content-type": "application/x-ndjson" }),
      status: 413,
      message: /A line has more than 4 MiB/,
    },
    "too many headers": {
      path: "/api/v1/math/version",
      init: { headers: Object.fromEntries(Array.from({ length: 130 }, (_, at) => [`x-${at}`, "1"])) },
      status: 431,
      message: /headers: expected at most 128/,
    },
  };
  for (const [name, { path, init, status, message, headers = {} }] of Object.entries(cases)) {
    test(name, async () => {
      const response = await worker.fetch(path, init);
      assert.equal(response.status, status);
      assert.equal(response.headers.get("content-type"), "application/json");
      const said = await response.json();
      assert.match(said.message, message);
      for (const [header, value] of Object.entries(headers))
        assert.equal(response.headers.get(header), value);
      await worker.assertServes();
    });
  }
});

test("headers past 16 KiB are 431", async () => {
  const answer = await answerTo(
    `GET /api/v1/math/version HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(17_000)}\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 431 /);
  await worker.assertServes();
});

test("a body without a length is refused as soon as it is too large, however much is still to come", async () => {
  using raw = await worker.socket();
  raw.send(
    `POST ${SUM} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  const chunk = `${(64 * 1024).toString(16)}\r\n${" ".repeat(64 * 1024)}\r\n`;
  const endless = setInterval(() => raw.send(chunk), 0);
  try {
    const answer = await raw.closed();
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /\r\nconnection: close\r\n/i);
    assert.ok(raw.socket.bytesWritten < 100 * MIB, `${raw.socket.bytesWritten} bytes were taken`);
  } finally {
    clearInterval(endless);
  }
  await worker.assertServes();
});

test("a length past the limit is refused before a byte of the body has come", async () => {
  using raw = await worker.socket();
  raw.send(
    `POST ${SUM} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`,
  );
  assert.match(await raw.closed(), /^HTTP\/1\.1 413 /);
});

test("JSON that is nested a hundred thousand deep is 400", async () => {
  const deep = `${'{"vals":'.repeat(100_000)}1${"}".repeat(100_000)}`;
  for (const [path, init] of [
    [SUM, {}],
    ["/math.v1.Math/Sum", { "connect-protocol-version": "1" }],
  ] as const) {
    const response = await worker.post(path, deep, init);
    assert.equal(response.status, 400, path);
    await response.text();
  }
  await worker.assertServes();
});

test("an expectation that is not known is 417, and 100-continue is met", async () => {
  assert.match(
    await answerTo(`GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nConnection: close\r\n\r\n`),
    /^HTTP\/1\.1 417 /,
  );
  using raw = await worker.socket();
  raw.send(
    `POST ${SUM} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`,
  );
  await raw.until((text) => text.startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
  raw.send('{"vals":[7]}');
  assert.match(await raw.closed(), /\{"val":7\}$/);
});

test("an upgrade that nobody takes, and a tunnel that nobody digs, change nothing", async () => {
  assert.match(
    await answerTo(
      "GET /api/v1/math/version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
    ),
    /^HTTP\/1\.1 200 OK\r\n/,
  );
  assert.equal(await answerTo("CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  await worker.assertServes();
});

test("a client that takes the worker for a proxy gets the worker's own answer", async () => {
  const answer = await answerTo(
    "GET http://elsewhere.example/api/v1/math/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
  );
  assert.match(answer, /\{"val":"1\.2\.3"\}$/);
});

test("a call by gRPC goes on beside all of this", async () => {
  const bad = Array.from({ length: 50 }, () =>
    answerTo(`POST ${SUM} HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n`),
  );
  await worker.assertServes();
  for (const answer of await Promise.all(bad)) assert.match(answer, /^HTTP\/1\.1 400 /);
});
