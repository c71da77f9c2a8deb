import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { webWorker } from "./support/web-worker.ts";

const SHOP = "https://shop.example";
const PATH = "/math.v1.Math/Version";

/** What a response says to browsers. */
function corsOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith("access-control-") || name === "vary"),
  );
}

const preflight = (origin: string) => ({
  method: "OPTIONS",
  headers: {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "connect-protocol-version,content-type,x-user",
  },
});

describe("CORS_ORIGINS", () => {
  test("is none: no page of another origin reads anything", async () => {
    await using worker = await webWorker();
    const asked = await worker.fetch(PATH, preflight(SHOP));
    assert.deepEqual(
      [asked.status, asked.headers.get("allow"), corsOf(asked)],
      [204, "POST, GET, OPTIONS", {}],
    );
    assert.deepEqual(corsOf(await worker.fetch("/healthz", { headers: { origin: SHOP } })), {});
  });

  test("is a list: its origins are let in by name, with credentials, and others are not", async () => {
    await using worker = await webWorker({ env: { CORS_ORIGINS: `${SHOP}, http://localhost:3000` } });
    for (const origin of [SHOP, "http://localhost:3000"]) {
      const asked = await worker.fetch(PATH, preflight(origin));
      assert.equal(asked.status, 204);
      assert.deepEqual(corsOf(asked), {
        "access-control-allow-credentials": "true",
        "access-control-allow-headers": "connect-protocol-version,content-type,x-user",
        "access-control-allow-methods": "POST",
        "access-control-allow-origin": origin,
        "access-control-max-age": "7200",
        vary: "origin",
      });
    }
    for (const origin of ["https://evil.example", `${SHOP}.evil.example`, "http://shop.example", "null"]) {
      assert.deepEqual(corsOf(await worker.fetch(PATH, preflight(origin))), { vary: "origin" }, origin);
    }
    assert.deepEqual(corsOf(await worker.fetch("/healthz")), { vary: "origin" });
  });

  test("is *: every page may read, but none with credentials", async () => {
    await using worker = await webWorker({ env: { CORS_ORIGINS: "*" } });
    const asked = corsOf(await worker.fetch(PATH, preflight(SHOP)));
    assert.equal(asked["access-control-allow-origin"], "*");
    assert.equal(asked["access-control-allow-credentials"], undefined);
    const read = corsOf(await worker.fetch("/api/v1/math/version", { headers: { origin: SHOP } }));
    assert.equal(read["access-control-allow-origin"], "*");
    assert.equal(read["access-control-allow-credentials"], undefined);
  });

  const calls = {
    REST: ["/api/v1/greeter/you", {}],
    Connect: ["/greeter.v1.Greeter/SayHello", { method: "POST", body: '{"name":"you"}' }],
  } as const;
  for (const [name, [path, init]] of Object.entries(calls)) {
    test(`shows scripts the headers and trailers of a call by ${name}, and when to try again`, async () => {
      await using worker = await webWorker({
        env: { CORS_ORIGINS: SHOP },
        greeter: {
          sayHello(_, { headers, trailers }) {
            headers.set("x-header", "1");
            trailers.set("x-trailer", "2");
            return {};
          },
        },
      });
      const headers = { origin: SHOP, "content-type": "application/json" };
      const exposed = corsOf(await worker.fetch(path, { ...init, headers }))["access-control-expose-headers"];
      const trailer = name === "Connect" ? "trailer-x-trailer" : "x-trailer";
      for (const each of [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "retry-after",
        "x-header",
        trailer,
      ]) {
        assert.ok(exposed?.split(", ").includes(each), `${each} is not among ${exposed}`);
      }
    });
  }

  test("holds for errors too, so that a page can read what was wrong", async () => {
    await using worker = await webWorker({ env: { CORS_ORIGINS: SHOP } });
    for (const path of ["/nope", "/api/v1/math/fibonacci/95"]) {
      const response = await worker.fetch(path, { headers: { origin: SHOP } });
      assert.equal(corsOf(response)["access-control-allow-origin"], SHOP, path);
    }
  });

  test("names of headers that are none are not repeated", async () => {
    await using worker = await webWorker({ env: { CORS_ORIGINS: SHOP } });
    using raw = await worker.socket();
    raw.send(
      `OPTIONS ${PATH} HTTP/1.1\r\nHost: x\r\nOrigin: ${SHOP}\r\nAccess-Control-Request-Method: <b>\r\nAccess-Control-Request-Headers: a b\r\nConnection: close\r\n\r\n`,
    );
    assert.doesNotMatch(await raw.closed(), /access-control-allow-(methods|headers)/i);
  });
});
