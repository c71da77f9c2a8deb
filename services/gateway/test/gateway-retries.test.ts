import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, RpcError } from "@gantry/rpc";
import { temporaryFile } from "../../../packages/worker/test/support/temporary-file.ts";
import { NO_QUOTAS } from "../../../test/support/calling.ts";
import { startWorker } from "../../../test/support/worker-process.ts";
import { gatewayAndWorker, gatewayBefore, JSON_BODY } from "./support/upstream.ts";

const CALLS = 20;

/** A gateway that is connected to two Greeters, of which one takes calls and answers none of them. */
async function twoGreeters() {
  await using undo = new AsyncDisposableStack();
  const policy = undo.use(await temporaryFile("no-quotas.yaml", NO_QUOTAS));
  const start = async (location: string) =>
    undo.use(await startWorker("greeter", { POLICY_FILE: policy.path, WORKER_LOCATION: location }));
  const [one, two] = await Promise.all([start("one"), start("two")]);
  const gateway = undo.use(await gatewayBefore({ GREETER_TARGET: `ipv4:${one.address},${two.address}` }));
  const answeredBy = new Set<string | null>();
  while (answeredBy.size < 2) {
    answeredBy.add((await fetch(`${gateway.url}/api/v1/greeter/a`)).headers.get("location"));
  }
  one.signal("SIGSTOP");
  const owned = undo.move();
  return { gateway, stuck: one, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** Makes calls, kills the Greeter that is stuck when half of them have been answered, and tells what became of each. */
async function callsOverKill<T>(
  { stuck }: Awaited<ReturnType<typeof twoGreeters>>,
  call: () => Promise<T>,
): Promise<T[]> {
  const half = Promise.withResolvers<void>();
  let answered = 0;
  const calls = Array.from({ length: CALLS }, async () => {
    const answer = await call();
    answered += 1;
    if (answered === CALLS / 2) half.resolve();
    return answer;
  });
  await half.promise;
  assert.equal(answered, CALLS / 2, "the other half waits for a worker that does nothing");
  stuck.signal("SIGKILL");
  return await Promise.all(calls);
}

describe("a worker is killed while calls of it are in flight", () => {
  test("reads by REST and by GraphQL do not fail", async () => {
    for (const [path, init] of [
      ["/api/v1/greeter/a", {}],
      ["/graphql", { ...JSON_BODY, body: '{"query":"{ greeterSayHello(name: \\"a\\") { reply } }"}' }],
    ] as const) {
      await using greeters = await twoGreeters();
      const answers = await callsOverKill(greeters, async () => {
        const answer = await fetch(`${greeters.gateway.url}${path}`, init);
        return [answer.status, await answer.json()];
      });
      const reply = { reply: "Hello a" };
      const expected = path === "/graphql" ? { data: { greeterSayHello: reply } } : reply;
      assert.deepEqual(answers, Array(CALLS).fill([200, expected]));
    }
  });

  test("what has side effects is not done twice: 503, without a word of when to try again", async () => {
    await using greeters = await twoGreeters();
    const answers = await callsOverKill(greeters, async () => {
      const body = '[{"name":"a"},{"name":"b"}]';
      const answer = await fetch(`${greeters.gateway.url}/api/v1/greeter/greetings`, { ...JSON_BODY, body });
      return { status: answer.status, again: answer.headers.get("retry-after"), body: await answer.json() };
    });
    const done = answers.filter(({ status }) => status === 200);
    const failed = answers.filter(({ status }) => status !== 200);
    assert.deepEqual([done.length, failed.length], [CALLS / 2, CALLS / 2]);
    const message = "The worker of greeter.v1.Greeter was lost while the call was in flight.";
    for (const answer of failed) {
      assert.deepEqual(answer, { status: 503, again: null, body: { code: 14, message, details: [] } });
    }
  });
});

test("a call whose proto says so is hedged", async () => {
  let calls = 0;
  await using gateway = await gatewayAndWorker({
    math: {
      version: () => {
        calls += 1;
        return calls === 1 ? new Promise(() => {}) : { val: "1" };
      },
    },
  });
  const answer = await fetch(`${gateway.url}/api/v1/math/version`);
  assert.deepEqual([await answer.json(), calls], [{ val: "1" }, 2]);
});

test("a worker that is away does not keep calls of another one from being repeated", async () => {
  let attempts = 0;
  await using gateway = await gatewayAndWorker(
    {
      math: {
        sum: () => {
          attempts += 1;
          if (attempts % 2) throw new RpcError(Code.Unavailable, "Not now.");
          return { val: 1 };
        },
      },
    },
    { gateway: { GREETER_TARGET: "127.0.0.1:1" } },
  );
  // Each takes up to three tokens of the hundred that a budget has.
  await Promise.all(Array.from({ length: 60 }, () => fetch(`${gateway.url}/api/v1/greeter/a`)));
  const answer = await fetch(`${gateway.url}/api/v1/math/sum`, { ...JSON_BODY, body: '{"vals":[1]}' });
  assert.deepEqual([answer.status, attempts], [200, 2]);
});
