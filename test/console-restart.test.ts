/** The console while workers come and go, and where callers have to say who they are. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { CONSOLE_PAGE } from "../packages/dev/src/workers/console.ts";
import { buildConsolePage } from "../packages/dev/src/workers/console-page.ts";
import { ALICE, PRINCIPALS } from "../packages/worker/test/support/auth.ts";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { consolePage, launchBrowser } from "./support/console.ts";
import { requireProgram } from "./support/programs.ts";
import { runToExit, type Settings, startWorker, type WorkerProcess } from "./support/worker-process.ts";

const portOf = (address: string) => address.replace(/^.*:/, "");

/** A gateway whose console shows these workers. */
function gatewayFor(workers: Readonly<Record<string, WorkerProcess>>, settings: Settings = {}) {
  const shown = Object.entries(workers).map(([name, { address, admin }]) => {
    return `${name}=${address}=${admin.replace("http://", "")}`;
  });
  return startWorker("gateway", {
    CONSOLE: "on",
    CONSOLE_PAGE,
    CONSOLE_WORKERS: shown.join(","),
    ...settings,
  });
}

describe("a console", requireProgram("chromium", "apt-get install chromium"), () => {
  let browser: Browser;
  before(async () => {
    await buildConsolePage();
    browser = await launchBrowser();
  });
  after(() => browser.close());

  test("says that a worker is away, and calls it again once it is back, without being loaded again", async () => {
    await using first = await startWorker("greeter");
    await using math = await startWorker("math");
    await using gateway = await gatewayFor({ greeter: first, math });
    await using view = await consolePage(browser, `http://${gateway.address}/console`);
    const { page } = view;
    const call = page.getByRole("button", { name: "Call", exact: true });
    const answer = page.getByLabel("Answer");
    await page.getByLabel(/^name/).fill("七米");
    await call.click();
    await answer.getByText("OK", { exact: true }).waitFor();

    first.signal("SIGTERM");
    await first.exited;
    await page.getByText(/^Away\. /).waitFor();
    await call.click();
    await answer.getByText("UNAVAILABLE", { exact: true }).waitFor();
    await view.picture("worker-away");
    const places = { PORT: portOf(first.address), ADMIN_PORT: portOf(first.admin) };
    await using _second = await startWorker("greeter", places);
    await page.getByText(/^Away\. /).waitFor({ state: "detached" });
    await call.click();
    await answer.getByText("Hello 七米").waitFor();
    await view.open("live");
    await page.getByRole("region", { name: "greeter", exact: true }).getByText("serving").waitFor();
  });

  test("comes back by itself when the gateway itself was away", async () => {
    await using greeter = await startWorker("greeter");
    await using first = await gatewayFor({ greeter });
    await using view = await consolePage(browser, `http://${first.address}/console`);
    await view.page.getByText("Connected").waitFor();
    first.signal("SIGTERM");
    await first.exited;
    await view.page.getByText(/Gateway away/).waitFor();
    await using _second = await gatewayFor({ greeter }, { PORT: portOf(first.address) });
    await view.page.getByText("Connected").waitFor();
  });

  test("with AUTH_FILE shows nothing until somebody says who they are, and calls in their name", async () => {
    await using principals = await temporaryFile("auth.yaml", PRINCIPALS);
    const settings = { AUTH_FILE: principals.path };
    await using greeter = await startWorker("greeter", settings);
    await using gateway = await gatewayFor({ greeter }, settings);
    await using view = await consolePage(browser, `http://${gateway.address}/console`);
    const { page } = view;
    await page.getByLabel("Bearer token").fill("mallory-s-token");
    await page.getByRole("button", { name: "Let me in" }).click();
    await page.getByText("Not let in").waitFor();
    await page.getByLabel("Bearer token").fill(ALICE.token);
    await page.getByRole("button", { name: "Let me in" }).click();
    await page.getByLabel(/^name/).fill("七米");
    await page.getByRole("button", { name: "Call", exact: true }).click();
    await page.getByText("Hello 七米").waitFor();
    const line = await greeter.logged(({ method }) => method === "greeter.v1.Greeter/SayHello");
    assert.equal(line.principal, "alice");
  });
});

test("a console that others reach and nobody guards is refused at the start", async () => {
  await buildConsolePage();
  const settings = { CONSOLE: "on", CONSOLE_PAGE, HOST: "0.0.0.0" };
  const { code, stderr } = await runToExit("gateway", settings);
  assert.equal(code, 78);
  assert.match(stderr, /CONSOLE is on and HOST is "0\.0\.0\.0", which others reach: expected AUTH_FILE/);
});

test("without the setting there is no console", async () => {
  await using gateway = await startWorker("gateway");
  assert.equal((await fetch(`http://${gateway.address}/console`)).status, 404);
});
