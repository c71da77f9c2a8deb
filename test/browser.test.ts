import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import type { page as gatewayPage } from "./support/browser-page.ts";
import { requireProgram } from "./support/programs.ts";
import { startWorker } from "./support/worker-process.ts";

const browserProgram = requireProgram("chromium", "apt-get install chromium");

/** What the page has as a global. */
declare const gantry: { readonly page: typeof gatewayPage };

test(
  "a page calls by Connect and gRPC-Web, subscribes by GraphQL, and chats over Socket.IO through a restart",
  browserProgram,
  async () => {
    await using greeter = await startWorker("greeter");
    await using pages = await servePage();
    const settings = { GREETER_TARGET: greeter.address, CORS_ORIGINS: pages.origin };
    await using first = await startWorker("gateway", settings);
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage();
      await page.goto(`${pages.origin}/?${encodeURIComponent(`http://${first.address}`)}`);

      const greetings = ["Hello 七米", "你好七米", "hello七米", "こんにちは七米", "안녕하세요七米"];
      for (const protocol of ["connect", "grpcWeb"] as const) {
        const replies = await page.evaluate((by) => gantry.page.greet(by, "七米"), protocol);
        assert.deepEqual(replies, greetings, protocol);
      }

      const query = 'subscription { greeterLotsOfReplies(name: "七米") { reply } }';
      const results = await page.evaluate((asked) => gantry.page.subscribe(asked), query);
      assert.deepEqual(
        results,
        greetings.slice(1).map((reply) => ({ greeterLotsOfReplies: { reply } })),
      );

      assert.equal(await page.evaluate(() => gantry.page.chat("你好吗？")), "我好!");
      first.signal("SIGTERM");
      assert.deepEqual(await first.exited, { code: 0, signal: null });
      // The same place, so that the page's socket finds it there.
      const port = first.address.replace(/^.*:/, "");
      await using _second = await startWorker("gateway", { ...settings, PORT: port });
      assert.equal(await page.evaluate(() => gantry.page.chat("在吧?")), "在!");
      assert.deepEqual(await page.evaluate(() => gantry.page.life()), {
        connects: 2,
        reasons: ["transport close"],
      });
    } finally {
      await browser.close();
    }
  },
);

test(
  "GraphiQL runs a query in the browser, and asks nobody but the gateway for anything",
  browserProgram,
  async () => {
    await using greeter = await startWorker("greeter");
    await using gateway = await startWorker("gateway", { GREETER_TARGET: greeter.address });
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage();
      const elsewhere: string[] = [];
      const broken: string[] = [];
      page.on("request", (request) => {
        if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).host !== gateway.address) {
          elsewhere.push(request.url());
        }
      });
      page.on("pageerror", (error) => broken.push(error.message));
      const query = '{ greeterSayHello(name: "七米") { reply } }';
      await page.goto(`http://${gateway.address}/graphql?query=${encodeURIComponent(query)}`);
      await page.getByRole("button", { name: /execute query/i }).click();
      await page.getByText("Hello 七米").first().waitFor();
      assert.deepEqual({ elsewhere, broken }, { elsewhere: [], broken: [] });
    } finally {
      await browser.close();
    }
  },
);

/** A page with the script in it, of an origin of its own. */
async function servePage() {
  const { outputFiles } = await build({
    entryPoints: [new URL("support/browser-page.ts", import.meta.url).pathname],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "gantry",
    platform: "browser",
  });
  const script = outputFiles[0]?.text.replaceAll("</script", "<\\/script");
  const server = createServer((_, response) => {
    response
      .setHeader("content-type", "text/html; charset=utf-8")
      .end(`<!doctype html><script>${script}</script>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on a port has an address.
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
