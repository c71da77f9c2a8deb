/** Short runs of what takes long: many streams, rollouts, breakpoints, and the pages that tell of them. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { kneeOf } from "../loadtest/lib/findings.ts";
import type { Result } from "../loadtest/lib/report/result.ts";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { freePort } from "./support/free-port.ts";
import { load, needsK6, runLoad, wrong } from "./support/load-run.ts";
import { requireProgram } from "./support/programs.ts";
import { ROOT, type Settings, startWorker, type WorkerProcess } from "./support/worker-process.ts";

const POLICY_FILE = join(ROOT, "loadtest/policies/greeter.yaml");
const SLOW = join(import.meta.dirname, "support/workers/slow.ts");
const SERVICES = "greeter.v1.Greeter";

test("streams has a thousand chats open at once, and each is answered and ends well", needsK6, async () => {
  await using greeter = await startWorker("greeter", { POLICY_FILE });
  const running = runLoad("streams", { SERVICES, GREETER_ADDRESS: greeter.address, DURATION: "2s" });
  const most = await mostChats(greeter, running);
  const { result } = await running;
  assert.equal(most, 1_000);
  assert.deepEqual(wrong(result), []);
  assert.deepEqual(result.figures, { streams_opened: 1_000, streams_ended: 1_000 });
});

test(
  "rollout: no call fails while a worker is drained under load, and its calls move on",
  needsK6,
  async () => {
    const settings = { POLICY_FILE, LOG_LEVEL: "debug" };
    await using leaving = await startWorker("greeter", settings);
    await using staying = await startWorker("greeter", settings);
    const running = runLoad("rollout", {
      ...{ SERVICES, GREETER_ADDRESS: `${leaving.address},${staying.address}` },
      ...{ RATE: "100", DURATION: "3s", CONNECTIONS: "10" },
    });
    await leaving.logged(({ msg }) => msg === "call");
    leaving.signal("SIGTERM");
    assert.deepEqual(await leaving.exited, { code: 0, signal: null });
    const { result } = await running;
    assert.equal(result.total.failedRatio, 0);
    assert.ok(result.total.moved > 0, "somebody was at the worker that left");
    assert.deepEqual(wrong(result), []);
  },
);

test("breakpoint finds the rate at which a worker with few places turns calls away", needsK6, async () => {
  await using slow = await startWorker(SLOW, { MAX_CALLS_IN_FLIGHT: "4" });
  const { result } = await runLoad("breakpoint", {
    ...{ SERVICES, GREETER_ADDRESS: slow.address },
    ...{ RATE: "10", MAX_RATE: "500", DURATION: "4s", CONNECTIONS: "30" },
  });
  assert.ok((result.statuses.UNAVAILABLE ?? 0) > 0);
  // Where others are busy on the machine too, it may be slow from the beginning.
  const [, breaks] =
    /^(?:The knee|The SLOs hold at no rate): .*\bat (\d+\.?\d*) calls a second, /.exec(
      result.findings[0] ?? "",
    ) ?? [];
  assert.ok(Number(breaks) <= 500, result.findings[0]);
});

test("the knee is the first of two steps that do not hold the objectives", () => {
  const objectives = [{ availability: 0.999, latency: { ms: 100 } }];
  const step = (wantedPerSecond: number, { failedRatio = 0, p99 = 10, made = wantedPerSecond } = {}) => {
    const latency = { ...RESULT.total.latency, p99 };
    return { startMs: 0, calls: 100, failedRatio, latency, callsPerSecond: made, wantedPerSecond };
  };
  const knee = (...steps: ReturnType<typeof step>[]) => kneeOf({ ...RESULT, steps }, objectives);

  const broken = step(300, { failedRatio: 0.02 });
  assert.equal(
    knee(step(100, { p99: 200 }), step(200), broken, step(400, { p99: 900 })),
    "The knee: the SLOs hold up to 200 calls a second; at 300 calls a second, 2.0 % of calls fail.",
  );
  assert.equal(
    knee(step(100), step(200, { made: 150 })),
    "The knee: the SLOs hold up to 100 calls a second; at 200 calls a second, only 150 a second can be made.",
  );
  assert.equal(
    knee(step(100, { p99: 101 }), broken),
    "The SLOs hold at no rate: at 100 calls a second, the 99th percentile is 101 ms. Ask for less with RATE.",
  );
  assert.equal(
    knee(step(100), step(200)),
    "No knee: the SLOs hold up to 200 calls a second. Ask for more with MAX_RATE.",
  );
});

test("cold waits for a worker that is not there yet, and says how long it took", needsK6, async () => {
  const port = await freePort();
  const settings = { SERVICES, GREETER_ADDRESS: `127.0.0.1:${port}`, COLD_LIMIT: "30s" };
  const running = runLoad("cold", settings);
  await using _greeter = await startWorker("greeter", { PORT: String(port) });
  const { exitCode, result, output } = await running;
  assert.equal(exitCode, 0, output);
  assert.ok((result.figures.cold_start_duration ?? 0) > 0);
});

test(
  "stress, spike and soak tell how workers were at the height, after it, and over time",
  needsK6,
  async () => {
    await using greeter = await startWorker("greeter", { POLICY_FILE });
    const settings: Settings = {
      ...{ SERVICES, GREETER_ADDRESS: greeter.address },
      ...{ RATE: "20", MAX_RATE: "80", DURATION: "3s", CONNECTIONS: "10" },
    };
    const runs = await Promise.all(["stress", "spike", "soak"].map((name) => runLoad(name, settings)));
    const [stress, spike, soak] = runs.map(({ result }) => result);
    for (const result of [stress, spike, soak]) assert.equal(result?.total.failedRatio, 0);
    for (const result of [stress, spike]) {
      assert.match(result?.findings.join("\n") ?? "", /^At the height, 80 calls a second: 0 % failed/);
      // They are held to the objectives after the height alone.
      const steps = result?.thresholds.flatMap(({ rule }) => /,step:(\d+)/.exec(rule)?.[1] ?? []);
      assert.deepEqual([...new Set(steps)], ["17", "18", "19"]);
    }
    assert.match(
      soak?.findings.join("\n") ?? "",
      /^The 95th percentile was .* early on, and .* in the end\.$/,
    );
  },
);

test("calls that quotas refuse fail a load, which says how to do without", needsK6, async () => {
  await using policy = await temporaryFile(
    "policy.yaml",
    `methods: { ${SERVICES}/SayHello: { quotas: [{ id: all, limit: 5 }] } }`,
  );
  await using greeter = await startWorker("greeter", { POLICY_FILE: policy.path });
  const { result, output } = await runLoad("load", {
    ...{ SERVICES, GREETER_ADDRESS: greeter.address, RATE: "50", DURATION: "1s", CONNECTIONS: "5" },
  });
  assert.deepEqual(wrong(result), ["count==0 of quota_refused"]);
  assert.match(output, /Quotas refused \d+ calls\. .*GREETER_POLICY_FILE=loadtest\/policies\/greeter\.yaml/);
});

test("compare says what is worse in the second run, and ends with 1 then", async () => {
  await using before = await temporaryFile("before.json", JSON.stringify(RESULT));
  const slower = { ...RESULT.total.latency, p95: 30 };
  const after = { ...RESULT, total: { ...RESULT.total, latency: slower, failedRatio: 0.02 } };
  const second = join(before.directory, "after.json");
  await writeFile(second, JSON.stringify(after));

  const worse = await load(["compare", before.path, second]);
  assert.equal(worse.exitCode, 1);
  assert.match(worse.output, /^all: 2\.0 % fail, where it was 0 %\.$/m);
  assert.match(worse.output, /^all: the 95th percentile is 30\.0 ms, where it was 10\.0 ms\.$/m);
  assert.equal((await load(["compare", second, before.path])).exitCode, 0);

  await writeFile(second, "{}");
  const strange = await load(["compare", before.path, second]);
  assert.equal(strange.exitCode, 1);
  assert.match(strange.output, /after\.json is not the report of a run/);
});

const browserProgram = requireProgram("chromium", "apt-get install chromium");

test("a run's page fits a phone and a desk, is readable in light and dark, and fetches nothing", {
  skip: needsK6.skip || browserProgram.skip,
}, async () => {
  await using greeter = await startWorker("greeter", { POLICY_FILE });
  const { page } = await runLoad("load", {
    ...{ SERVICES, GREETER_ADDRESS: greeter.address, RATE: "50", DURATION: "2s", CONNECTIONS: "10" },
  });
  await using file = await temporaryFile("report.html", page);
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [360, 1_280]) {
        const looked = await look(browser, file.path, { colorScheme, width });
        assert.deepEqual(looked.fetched, []);
        assert.equal(looked.overflow, 0, `${width} px, ${colorScheme}`);
        assert.ok(looked.contrast >= 4.5, `${looked.contrast} to 1 at ${width} px, ${colorScheme}`);
        assert.deepEqual(looked.charts, ["Latency", "Calls a second", "Failed", "Latency by method"]);
        assert.ok(looked.drawn, "every chart has spots and words, all of them inside of its frame");
      }
    }
  } finally {
    await browser.close();
  }
});

const CHATS = /^gantry_calls_in_flight{.*grpc_method="BidiHello"} (\d+)$/m;

/** The greatest number of chats that a worker has had in flight, as its metrics tell, while this goes on. */
async function mostChats({ admin }: WorkerProcess, running: Promise<unknown>): Promise<number> {
  let over = false;
  const end = () => {
    over = true;
  };
  running.then(end, end);
  let most = 0;
  while (!over) {
    const text = await (await fetch(`${admin}/metrics`)).text();
    most = Math.max(most, Number(CHATS.exec(text)?.[1]));
  }
  return most;
}

interface Look {
  readonly colorScheme: "light" | "dark";
  readonly width: number;
}

async function look(browser: Browser, path: string, { colorScheme, width }: Look) {
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
  const fetched: string[] = [];
  page.on("request", (request) => fetched.push(request.url()));
  const url = pathToFileURL(path).href;
  await page.goto(url);
  const seen = await page.evaluate(readPage);
  await page.close();
  return { ...seen, fetched: fetched.filter((each) => each !== url) };
}

/** Runs in the browser. */
function readPage() {
  const luminance = (color: string) => {
    const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = luminance(getComputedStyle(document.body).backgroundColor);
  const contrasts = [...document.querySelectorAll("h1, h1 span, .when, figcaption, .legend, td, li")].map(
    (each) => {
      const text = luminance(getComputedStyle(each).color);
      return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    },
  );
  const figures = [...document.querySelectorAll("figure")];
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
    contrast: Math.min(...contrasts),
    charts: figures.map((figure) => figure.querySelector("figcaption")?.textContent ?? ""),
    drawn: figures.every((figure) => {
      const frame = figure.querySelector("svg[role]")?.getBoundingClientRect() ?? new DOMRect();
      const marks = [...figure.querySelectorAll("svg[role] :is(circle, text)")].map((mark) =>
        mark.getBoundingClientRect(),
      );
      return (
        marks.length > 0 &&
        marks.every(({ left, right, top, bottom }) => {
          return left >= frame.left && right <= frame.right && top >= frame.top && bottom <= frame.bottom;
        })
      );
    }),
  };
}

const RESULT: Result = {
  scenario: "load",
  target: "grpc",
  endedAt: "2026-01-01T00:00:00.000Z",
  durationMs: 1_000,
  ok: true,
  total: {
    calls: 100,
    callsPerSecond: 100,
    failedRatio: 0,
    latency: { median: 5, p95: 10, p99: 12, max: 20 },
    quotaRefused: 0,
    moved: 0,
    dropped: 0,
  },
  statuses: { OK: 100 },
  methods: [],
  steps: [],
  thresholds: [],
  checks: [],
  figures: {},
  findings: [],
};
