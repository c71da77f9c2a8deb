/** The console of `npm start`, driven in a real browser. Pictures of it stay in test/artifacts. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { type Run, run } from "../packages/dev/test/support/run.ts";
import { type TemporaryFile, temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { consolePage, launchBrowser } from "./support/console.ts";
import { requireProgram } from "./support/programs.ts";
import { ROOT } from "./support/worker-process.ts";

const ANY_PORTS = {
  GREETER_PORT: "0",
  GREETER_ADMIN_PORT: "0",
  MATH_PORT: "0",
  MATH_ADMIN_PORT: "0",
  GATEWAY_PORT: "0",
  GATEWAY_ADMIN_PORT: "0",
};

/** Two calls for each name, and another one 4 seconds later. */
const POLICY = `methods:
  greeter.v1.Greeter/SayHello:
    quotas:
      - { id: few-greetings, subject: request.name, limit: 2, window: 8s }
`;

const method = (worker: string, name: string) => `try/${worker}/${name}`;
const call = (page: Page) => page.getByRole("button", { name: "Call", exact: true });
const status = (page: Page, code: string) => page.getByLabel("Answer").getByText(code, { exact: true });
const messages = (page: Page) => page.getByRole("list", { name: "Messages" }).getByRole("listitem");

describe("the console of npm start", requireProgram("chromium", "apt-get install chromium"), () => {
  let start: Run;
  let browser: Browser;
  let url: string;
  let policy: TemporaryFile;

  before(async () => {
    policy = await temporaryFile("policy.yaml", POLICY);
    start = run("start", { ...ANY_PORTS, GREETER_POLICY_FILE: policy.path });
    await start.line(/^ready$/);
    [, url = ""] = /console: (http:\S+)/.exec(await start.line(/in the console: /)) ?? [];
    browser = await launchBrowser();
  });

  after(async () => {
    await browser.close();
    start.process.kill("SIGINT");
    assert.equal(await start.exitCode, 0);
    await policy[Symbol.asyncDispose]();
  });

  test("it is small, has its first paint within a second, and runs no script or style of the page's text", async () => {
    const directory = join(ROOT, "packages/console/dist");
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((each) =>
      each.isFile(),
    );
    const sizes = files.map(({ parentPath, name }) => gzipSync(readFileSync(join(parentPath, name))).length);
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 150_000, `${sizes} bytes`);
    const policy = (await fetch(`${url}/`)).headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    await using view = await consolePage(browser, url);
    await view.page.getByRole("heading", { name: /SayHello/ }).waitFor();
    const painted = await view.page.evaluate(
      () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.POSITIVE_INFINITY,
    );
    assert.ok(painted < 1_000, `${painted} ms`);
  });

  test("a unary call shows its answer, headers, trailers, its trace with log lines, and snippets that run", async () => {
    await using view = await consolePage(browser, url);
    const { page } = view;
    await view.open(method("gateway", "greeter.v1.Greeter/SayHello"));
    await page.getByLabel(/^name/).fill("七米");
    await page.getByRole("button", { name: "+ Add a key" }).click();
    await page.getByLabel("Key", { exact: true }).fill("x-tenant");
    await page.getByLabel("Value of x-tenant").fill("acme");
    await page.getByLabel("Deadline, ms").fill("1500");
    await call(page).click();
    await status(page, "OK").waitFor();
    assert.match((await messages(page).textContent()) ?? "", /"reply": "Hello 七米"/);
    await page.getByText("ratelimit-remaining").waitFor();
    await view.picture("unary");

    const snippet = page.getByLabel("The same call elsewhere");
    for (const [title, expected] of [
      ["buf curl", /^timeout 1\.5 npx buf curl .*'x-tenant: acme'.*SayHello$/s],
      ["grpcurl", /^grpcurl -plaintext .*-max-time 1\.5/s],
      ["TypeScript", /client\.sayHello\({ name: "七米" }, { timeoutMs: 1500, headers: /],
      ["curl", /^curl .*connect-timeout-ms: 1500/s],
    ] as const) {
      await snippet.getByRole("button", { name: title, exact: true }).click();
      assert.match((await snippet.locator("pre").textContent()) ?? "", expected);
    }
    const pasted = (await snippet.locator("pre").textContent()) ?? "";
    assert.deepEqual(JSON.parse(execFileSync("sh", ["-c", `${pasted} -s`], { encoding: "utf8" })), {
      reply: "Hello 七米",
    });

    await page.getByRole("link", { name: "Trace", exact: true }).click();
    const spans = page.getByRole("list", { name: "Spans" });
    await spans.getByRole("button", { name: /greeter server/ }).waitFor();
    // The console's own client, the gateway, its client, and the worker.
    await spans.getByRole("listitem").nth(3).waitFor();
    await page.getByLabel("Log lines").getByText("method=greeter.v1.Greeter/SayHello").first().waitFor();
    await spans.getByRole("button", { name: /greeter server/ }).click();
    await page.getByLabel("Attributes").getByText("rpc.grpc.status_code").waitFor();
    await view.picture("trace");

    await view.open("traces");
    await page.getByRole("link", { name: "greeter.v1.Greeter/SayHello" }).first().waitFor();
    await page.getByLabel(/^Filter by/).fill("no such method");
    await page.getByText("None fits").waitFor();
  });

  test("a server stream's messages show as they come", async () => {
    await using view = await consolePage(browser, url);
    await view.open(method("greeter", "greeter.v1.Greeter/LotsOfReplies"));
    await view.page.getByLabel(/^name/).fill("七米");
    await call(view.page).click();
    await status(view.page, "OK").waitFor();
    assert.equal(await messages(view.page).count(), 4);
    await view.picture("server-stream");
  });

  test("a client stream takes more, and answers when it is half-closed", async () => {
    await using view = await consolePage(browser, url);
    const { page } = view;
    await view.open(method("greeter", "greeter.v1.Greeter/LotsOfGreetings"));
    await page.getByLabel(/^name/).fill("小明");
    await page.getByRole("button", { name: "Open and send" }).click();
    await page.getByLabel(/^name/).fill("小红");
    await page.getByRole("button", { name: "Send another" }).click();
    await page.getByRole("button", { name: "Half-close" }).click();
    await status(page, "OK").waitFor();
    assert.match((await messages(page).last().textContent()) ?? "", /你好：小明小红/);
    await view.picture("client-stream");
  });

  test("a chat answers each message as it is sent, and can be cancelled", async () => {
    await using view = await consolePage(browser, url);
    const { page } = view;
    await view.open(method("greeter", "greeter.v1.Greeter/BidiHello"));
    await page.getByLabel(/^name/).fill("你好吗？");
    await page.getByRole("button", { name: "Open and send" }).click();
    await page.getByText("我好!").waitFor();
    await page.getByLabel(/^name/).fill("在吧?");
    await page.getByRole("button", { name: "Send another" }).click();
    await page.getByText("在!").waitFor();
    await view.picture("bidi-stream");
    await page.getByRole("button", { name: "Cancel" }).click();
    await status(page, "CANCELLED").waitFor();
  });

  test("a refused call says which quota, counts down, and the next one is let in then", async () => {
    await using view = await consolePage(browser, url);
    const { page } = view;
    await view.open(method("greeter", "greeter.v1.Greeter/SayHello"));
    await page.getByLabel(/^name/).fill("老王");
    for (let calls = 0; calls < 2; calls += 1) {
      await call(page).click();
      await status(page, "OK").waitFor();
      await page.getByLabel("Answer").and(page.locator("[aria-busy=false]")).waitFor();
    }
    await call(page).click();
    await status(page, "RESOURCE_EXHAUSTED").waitFor();
    await page.getByText("The quota few-greetings lets in at most 2 calls per 8s for each name").waitFor();
    await page.getByText(/The next call is allowed in [1-4]\.\d s/).waitFor();
    await view.picture("refused");
    await page.getByText("The next call is allowed now").waitFor();
    await call(page).click();
    await status(page, "OK").waitFor();
  });

  test("Live shows what was called, and whose quota is fullest, without a move of the page", async () => {
    await using view = await consolePage(browser, url);
    const { page } = view;
    await view.open(method("greeter", "greeter.v1.Greeter/SayHello"));
    await page.getByLabel(/^name/).fill("大卫");
    await call(page).click();
    await status(page, "OK").waitFor();
    await view.open("live");
    await page.getByRole("cell", { name: "greeter: Greeter/SayHello" }).waitFor();
    await page.getByText("大卫").waitFor();
    const shifts = page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let sum = 0;
          const observer = new PerformanceObserver((list) => {
            // The standard library's types do not know this kind of entry.
            for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
              sum += entry.value;
          });
          observer.observe({ type: "layout-shift" });
          setTimeout(() => resolve(sum), 4_500);
        }),
    );
    assert.ok((await shifts) < 0.01, `${await shifts}`);
    await view.picture("live");
  });

  test("Explain shows what is in force and the line where it came from", async () => {
    await using view = await consolePage(browser, url);
    await view.open("explain/greeter");
    const explained = view.page.getByLabel("greeter.v1.Greeter/SayHello", { exact: true });
    await explained.getByText("few-greetings: 2 calls per 8s, for each request.name").waitFor();
    await explained.getByText("policy.yaml:3").waitFor();
    await explained.getByText(/^recover/).waitFor();
    await view.picture("explain");
  });

  test("every view reads at 360 px and at 1600 px, light and dark, and nothing is wider than the page", async () => {
    const grounds = new Set<string>();
    for (const width of [360, 1_600]) {
      for (const colorScheme of ["light", "dark"] as const) {
        await using view = await consolePage(browser, url, { width, colorScheme });
        const { page } = view;
        for (const name of ["try", "live", "traces", "explain"]) {
          await view.open(name);
          await page.locator("main :is(h1, .empty)").first().waitFor();
          await view.picture(`${name}-${colorScheme}-${width}`);
          const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          assert.ok(over <= 0, `${name} is ${over} px too wide at ${width}`);
        }
        grounds.add(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor));
        await page.getByLabel("Colours").selectOption("dark");
        assert.equal(
          await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme),
          "dark",
        );
      }
    }
    assert.equal(grounds.size, 2);
  });

  test("the keyboard alone finds a method, fills its form, calls it and opens its trace", async () => {
    await using view = await consolePage(browser, url);
    const { keyboard } = view.page;
    await view.page.getByRole("heading", { name: /SayHello/ }).waitFor();
    await keyboard.press("/");
    await keyboard.type("Divide");
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await view.page.getByRole("heading", { name: /Divide/ }).waitFor();
    const tabTo = async (label: RegExp) => {
      for (let tabs = 0; tabs < 40; tabs += 1) {
        await keyboard.press("Tab");
        const focused = await view.page.evaluate(
          () =>
            document.activeElement?.closest("label")?.textContent ??
            document.activeElement?.textContent ??
            "",
        );
        if (label.test(focused)) return;
      }
      assert.fail(`The key Tab does not lead to ${label}.`);
    };
    await tabTo(/^dividend/);
    await keyboard.type("9007199254740993");
    await tabTo(/^divisor/);
    await keyboard.type("2");
    await keyboard.press("Control+Enter");
    await status(view.page, "OK").waitFor();
    await view.page.getByText('"4503599627370496"').waitFor();
    await tabTo(/^Trace$/);
    await keyboard.press("Enter");
    await view.page.getByRole("list", { name: "Spans" }).waitFor();
  });

  test("it is served under names of this machine alone, and takes spans and lines with its token alone", async () => {
    const foreign = execFileSync("curl", ["-s", "-H", "host: evil.example", `${url}/`], { encoding: "utf8" });
    assert.match(foreign, /its own names alone/);
    const lines = await fetch(`${url}/feed/logs`, {
      method: "POST",
      headers: { authorization: "Bearer guess" },
    });
    assert.equal(lines.status, 401);
  });
});
