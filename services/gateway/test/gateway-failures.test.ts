import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code } from "@gantry/rpc";
import { gatewayAndWorker, JSON_BODY } from "./support/upstream.ts";

describe("what is wrong with a worker is said in JSON, and nobody waits for ever", () => {
  const statusOf = async (answer: Response) => {
    // Errors are google.rpc.Status by contract.
    const { code, message } = (await answer.json()) as { code: number; message: string };
    return { status: answer.status, code, hasMessage: message.length > 0 };
  };
  /** Clients are told when to try again, in HTTP's words and in gRPC's. */
  const inASecond = async (answer: Response) => {
    assert.equal(answer.headers.get("retry-after"), "1");
    const { details } = (await answer.clone().json()) as { details: Record<string, unknown>[] };
    assert.ok(details.some(({ retryDelay }) => retryDelay === "1s"));
    return answer;
  };
  const paths = ["/rpc?name=a", "/api/v1/greeter/a"];

  test("one that is away is 503", async () => {
    await using gateway = await gatewayAndWorker({});
    await gateway.upstream.stop();
    for (const path of paths) {
      const answer = await statusOf(await inASecond(await fetch(`${gateway.url}${path}`)));
      assert.deepEqual(answer, { status: 503, code: Code.Unavailable, hasMessage: true });
      const body = await (await fetch(`${gateway.url}${path}`)).text();
      assert.doesNotMatch(body, /127\.0\.0\.1|ECONNREFUSED/, "addresses are no business of callers");
    }
  });

  test("one that is slow is 504, by the policy's timeout, the caller's, or UPSTREAM_TIMEOUT", async () => {
    const never = () => new Promise<object>(() => {});
    await using gateway = await gatewayAndWorker(
      { greeter: { sayHello: never, lotsOfGreetings: never }, math: { accumulate: never } },
      { gateway: { UPSTREAM_TIMEOUT: "100ms" } },
    );
    const asked = { headers: { "grpc-timeout": "50m" } };
    for (const path of paths) {
      const answer = await statusOf(await fetch(`${gateway.url}${path}`, asked));
      assert.deepEqual(answer, { status: 504, code: Code.DeadlineExceeded, hasMessage: true });
    }
    const body = `[${Array(100).fill('{"name":"a"}')}]`;
    const noTimeout = await fetch(`${gateway.url}/api/v1/greeter/greetings`, { ...JSON_BODY, body });
    assert.deepEqual(await statusOf(noTimeout), {
      status: 504,
      code: Code.DeadlineExceeded,
      hasMessage: true,
    });
  });

  test("one that is overloaded is 503", async () => {
    const begun = Promise.withResolvers<void>();
    await using gateway = await gatewayAndWorker(
      {
        greeter: {
          sayHello: () => {
            begun.resolve();
            return new Promise(() => {});
          },
        },
      },
      { worker: { MAX_CALLS_IN_FLIGHT: "1" } },
    );
    const leaving = new AbortController();
    const longer = { headers: { "grpc-timeout": "10S" } };
    const first = fetch(`${gateway.url}/rpc?name=a`, { ...longer, signal: leaving.signal });
    await begun.promise;
    const calls = paths.map(async (path) => inASecond(await fetch(`${gateway.url}${path}`)));
    for (const answer of await Promise.all(calls)) {
      assert.deepEqual(await statusOf(answer), { status: 503, code: Code.Unavailable, hasMessage: true });
    }
    leaving.abort();
    await assert.rejects(first);
  });

  test("one that answers without sense is 502", async () => {
    await using gateway = await gatewayAndWorker({
      greeter: {
        sayHello: () => {
          throw new Error("a fault of the worker's");
        },
      },
    });
    for (const path of paths) {
      const answer = await statusOf(await fetch(`${gateway.url}${path}`));
      assert.deepEqual(answer, { status: 502, code: Code.Internal, hasMessage: true });
    }
  });

  test("while the other workers' methods go on", async () => {
    await using gateway = await gatewayAndWorker(
      { math: { version: () => ({ val: "1" }) } },
      { gateway: { GREETER_TARGET: "127.0.0.1:1" } },
    );
    const away = fetch(`${gateway.url}/rpc?name=a`);
    assert.equal((await fetch(`${gateway.url}/api/v1/math/version`)).status, 200);
    assert.equal((await away).status, 503);
  });
});
