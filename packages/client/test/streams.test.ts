import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type Message } from "@bufbuild/protobuf";
import { Code, type RpcError } from "@gantry/rpc";
import { messagesOf, observed } from "../src/streams.ts";
import { all } from "./support/all.ts";
import { stuckStream } from "./support/stuck-stream.ts";
import { DishSchema } from "./support/worker.ts";

/** Dishes without end, and how many of them were asked for; whether they were left. */
function endlessDishes() {
  const state = { asked: 0, left: false };
  const dishes: AsyncIterable<{ count: number }> = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        state.asked += 1;
        return { done: false, value: { count: state.asked } };
      },
      async return() {
        state.left = true;
        return { done: true, value: undefined };
      },
    }),
  };
  return { state, dishes: messagesOf(dishes, (dish) => create(DishSchema, dish)) };
}

function observer() {
  const seen: unknown[] = [];
  return {
    seen,
    message: ({ $typeName }: Message) => seen.push($typeName),
    end: (error?: unknown) => seen.push((error as RpcError | undefined)?.message ?? "end"),
  };
}

test("an observed stream is read as it is asked for, and left when its reader leaves", async () => {
  const { state, dishes } = endlessDishes();
  const watch = observer();
  const reader = observed(dishes, watch)[Symbol.asyncIterator]();
  assert.equal(state.asked, 0);
  await reader.next();
  await reader.next();
  assert.deepEqual(state, { asked: 2, left: false });
  await reader.return?.();
  await reader.return?.();
  assert.equal(state.left, true);
  const stopped = "The caller stopped reading the responses.";
  assert.deepEqual(watch.seen, ["kitchen.v1.Dish", "kitchen.v1.Dish", stopped]);
});

test("who leaves a stream while it waits for a message is heard at once", async () => {
  const { stream, left } = stuckStream();
  const ended = Promise.withResolvers<unknown>();
  const watched = observed(
    messagesOf(stream, (dish) => dish),
    { end: ended.resolve },
  );
  const reader = watched[Symbol.asyncIterator]();
  reader.next();
  await reader.return?.();
  await left;
  assert.equal(((await ended.promise) as RpcError).code, Code.Cancelled);
});

test("the end of a stream, and what it fails with, are told once and passed on", async () => {
  const whole = observer();
  const dishes = messagesOf([{}], (dish) => create(DishSchema, dish));
  const reader = observed(dishes, whole)[Symbol.asyncIterator]();
  await reader.next();
  await reader.next();
  await reader.next();
  await reader.return?.();
  assert.deepEqual(whole.seen, ["kitchen.v1.Dish", "end"]);

  const broken = observer();
  const failing = messagesOf([{}], (): Message => {
    throw new Error("spilt");
  });
  await assert.rejects(all(observed(failing, broken)), { message: "spilt" });
  assert.deepEqual(broken.seen, ["spilt"]);
});
