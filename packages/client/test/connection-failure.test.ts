import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, RpcError } from "@gantry/rpc";
import { type ConnectedClient, connectionFailure, createClient } from "../src/index.ts";
import { http2Server } from "./support/http2-server.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

async function failureOf(kitchen: ConnectedClient<typeof Kitchen>) {
  const error: unknown = await kitchen.cook({}, { timeoutMs: 5_000 }).catch((error) => error);
  assert.ok(error instanceof RpcError);
  return [error.code, connectionFailure(error)];
}

test("a call that found no server is known to be unsent", async () => {
  await using kitchen = createClient(Kitchen, "127.0.0.1:1");
  assert.deepEqual(await failureOf(kitchen), [Code.Unavailable, "unsent"]);
});

test("a call whose connection ended is known to be lost", async () => {
  await using server = await http2Server(({ session }) => session?.destroy());
  await using kitchen = createClient(Kitchen, server.target);
  assert.deepEqual(await failureOf(kitchen), [Code.Unavailable, "lost"]);
});

test("what a server answers is no failure of the connection, whatever its words are", async () => {
  await using worker = await kitchenWorker({
    cook: () => {
      throw new RpcError(Code.Unavailable, "read ECONNRESET: No connection established.");
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  assert.deepEqual(await failureOf(kitchen), [Code.Unavailable, undefined]);
  assert.equal(connectionFailure(new Error("Connection dropped")), undefined);
});
