import assert from "node:assert/strict";
import { test } from "node:test";
import { type CurrentCall, currentCall, detached, runAsCurrentCall } from "../src/current-call.ts";

function someCall(traceParent: string): CurrentCall {
  return { deadline: undefined, signal: new AbortController().signal, traceParent, traceState: undefined };
}

test("outside of a call there is no current one", () => {
  assert.equal(currentCall(), undefined);
});

test("a call is the current one for all that its work awaits, and for nothing else", async () => {
  const [one, two] = [someCall("one"), someCall("two")];
  const work = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return currentCall();
  };
  const both = [runAsCurrentCall(one, work), runAsCurrentCall(two, work)];
  assert.equal(currentCall(), undefined);
  assert.deepEqual(await Promise.all(both), [one, two]);
});

test("arguments reach the work, and its result comes back", () => {
  assert.equal(
    runAsCurrentCall(someCall("sum"), (a: number, b: number) => a + b, 1, 2),
    3,
  );
});

test("detached work has no current call, and what follows it has its own again", async () => {
  const call = someCall("one");
  await runAsCurrentCall(call, async () => {
    const inner = detached(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return currentCall();
    });
    assert.equal(currentCall(), call);
    assert.equal(await inner, undefined);
    assert.equal(currentCall(), call);
  });
});
