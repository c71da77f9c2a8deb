/** The same calls by every protocol, to the workers and to the gateway before them, by clients that we did not write. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ALICE, PRINCIPALS } from "../packages/worker/test/support/auth.ts";
import { byAll, isAlike, waysOf } from "./support/protocols/alike.ts";
import { QUOTAS, REFUSALS, tellsOf } from "./support/protocols/refusals.ts";
import { bearer, HELLO, ROWS } from "./support/protocols/rows.ts";
import { byEach, type Way } from "./support/protocols/ways.ts";
import { startWorkers, type Workers } from "./support/protocols/workers.ts";

const ACCESS = `methods:
  math.v1.Math/Divide: { access: { scopes: [dishes.read] } }
  math.v1.Math/RunningSum: { access: { scopes: [dishes.read] } }
`;

describe("every protocol answers alike", () => {
  let workers: Workers;
  before(async () => {
    workers = await startWorkers({ authFile: PRINCIPALS, policies: { greeter: QUOTAS, math: ACCESS } });
  });
  after(() => workers[Symbol.asyncDispose]());

  for (const [what, [asked, expected]] of Object.entries(ROWS)) {
    test(what, () => isAlike(workers.ways, asked, expected));
  }

  test("with headers and trailers, but for GraphQL, whose answers are of several calls", async () => {
    const outcomes = await byAll(workers.ways, { method: HELLO, requests: [{ name: "a" }] });
    for (const [title, { metadata }] of Object.entries(outcomes)) {
      const { location, timestamp = "", "ratelimit-limit": limit, "ratelimit-remaining": left } = metadata;
      if (title.startsWith("GraphQL")) assert.deepEqual(metadata, {});
      else
        assert.deepEqual([location, /^\d+$/.test(timestamp), limit, left], ["here", true, "1", "0"], title);
    }
    const { metadata } = outcomes["Socket.IO, by the gateway"] ?? {};
    const keys = ["location", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "timestamp"];
    assert.deepEqual(
      Object.keys(metadata ?? {}).sort(),
      keys,
      "headers of the connections between are left out",
    );
  });

  for (const [what, refusal] of Object.entries(REFUSALS)) {
    test(`${what} is told which, whose, and when to come again`, async () => {
      const ways = waysOf(workers.ways, refusal.asked.method);
      const callerOf = ({ title }: Way) => `${refusal.id} by ${title}`;
      const make = () =>
        byEach(ways, (way) => ({
          ...refusal.asked,
          headers: { ...bearer(ALICE), "x-caller": callerOf(way) },
        }));
      if (refusal.counts === "calls") await make();
      const outcomes = await make();
      for (const way of ways) {
        const outcome = outcomes[way.title];
        assert.ok(outcome);
        tellsOf(refusal, way, outcome, callerOf(way));
      }
    });
  }

  test("a quota counts a caller's calls together, whichever way they come", async () => {
    const headers = { ...bearer(ALICE), "x-caller": "one and the same" };
    const codes: string[] = [];
    for (const way of workers.ways) {
      const { code } = await way.call({ method: HELLO, requests: [{ name: "a" }], headers });
      codes.push(code);
    }
    assert.deepEqual(
      codes,
      workers.ways.map((_, at) => (at === 0 ? "OK" : "RESOURCE_EXHAUSTED")),
    );
  });
});
