import assert from "node:assert/strict";
import { test } from "node:test";
import { PulledStream } from "../src/index.ts";

test("one message is read for each that is asked for, and several asked for at once come one after the other", async () => {
  let reads = 0;
  const stream = new PulledStream<string>(() => {
    reads += 1;
    const message = `message ${reads}`;
    queueMicrotask(() => (message === "message 3" ? stream.end() : stream.push(message)));
  });
  const all = await Promise.all([stream.next(), stream.next(), stream.next()]);
  assert.deepEqual(all, [
    { done: false, value: "message 1" },
    { done: false, value: "message 2" },
    { done: true, value: undefined },
  ]);
  assert.equal(reads, 3);
});

test("an error reaches who waits, all who wait behind, and who asks later", async () => {
  const stream = new PulledStream<string>(() => {});
  const waiting = [stream.next(), stream.next()];
  const error = new Error("gone");
  stream.fail(error);
  for (const next of [...waiting, stream.next()]) await assert.rejects(next, error);
});

test("an error after the end is none", async () => {
  const stream = new PulledStream<string>(() => {});
  stream.end();
  stream.fail(new Error("late"));
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("leaving before the end is told once, leaving after it is not", async () => {
  let left = 0;
  const leave = () => {
    left += 1;
  };
  const stream = new PulledStream<string>(() => {}, leave);
  await stream.return();
  await stream.return();
  assert.equal(left, 1);
  const ended = new PulledStream<string>(() => {}, leave);
  ended.end();
  await ended.return();
  assert.equal(left, 1);
});
