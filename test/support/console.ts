/** The console in a browser: what is looked at, and pictures of it. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { ROOT } from "./worker-process.ts";

const ARTIFACTS = join(ROOT, "test/artifacts");

export interface ConsolePage extends AsyncDisposable {
  readonly page: Page;
  /** Goes to a view: `traces`, `try/greeter/greeter.v1.Greeter/SayHello`. */
  open(view: string): Promise<void>;
  /** Keeps a picture of all of the page. */
  picture(name: string): Promise<void>;
}

export interface PageOptions {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** A page of its own. What it asks elsewhere, or breaks on, fails the test that disposes of it. */
export async function consolePage(
  browser: Browser,
  url: string,
  { width = 1_280, colorScheme = "light" }: PageOptions = {},
): Promise<ConsolePage> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    // What the browser has to say of the policy of the page's contents.
    if (/Content Security Policy/i.test(message.text())) faults.push(message.text());
  });
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).host !== new URL(url).host) {
      faults.push(`It asked ${request.url()}`);
    }
  });
  await page.goto(url);
  return {
    page,
    open: async (view) => {
      await page.goto(`${url.replace(/\/?$/, "/")}#/${view}`);
    },
    async picture(name) {
      mkdirSync(ARTIFACTS, { recursive: true });
      await page.screenshot({ path: join(ARTIFACTS, `console-${name}.png`), fullPage: true });
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      assert.deepEqual(faults, []);
    },
  };
}
