import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@gantry/rpc";
import { readAuthFile } from "../src/auth/auth-file.ts";
import { createAuthenticator } from "../src/auth/authenticator.ts";
import { bearer, sha256 } from "./support/auth.ts";
import { callOf, methodOf } from "./support/calls.ts";
import { aborted, failsWith } from "./support/in-process.ts";
import { Kitchen } from "./support/kitchen.ts";
import { authKitchen } from "./support/kitchen-auth.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const DAY_MS = 86_400_000;

function expiring(inMs: number) {
  const expires = new Date(NOW + inMs).toISOString();
  return {
    principals: `principals: [{ name: dora, tokens: [{ sha256: "${sha256("short")}", expires: "${expires}" }] }]`,
  };
}
const headers = bearer("short");

test("a stream ends when what its caller has shown is past its time, and the handler is told", async (t) => {
  const done = Promise.withResolvers<unknown>();
  await using kitchen = await authKitchen(
    {
      async *serve(_, call) {
        yield { count: 1 };
        done.resolve(await aborted(call));
      },
    },
    expiring(60_000),
  );
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW });
  const replies = kitchen.client.serve({}, { headers })[Symbol.asyncIterator]();
  assert.equal((await replies.next()).value?.count, 1);
  const next = replies.next();
  t.mock.timers.tick(59_999);
  assert.deepEqual(kitchen.ended(), []);
  t.mock.timers.tick(1);
  await assert.rejects(next, failsWith(Code.Unauthenticated, /credentials are missing or not valid/));
  assert.equal(((await done.promise) as { code?: unknown }).code, Code.Unauthenticated);
  assert.deepEqual(kitchen.ended(), ["kitchen.v1.Kitchen/Serve: UNAUTHENTICATED"]);
});

test("so does any other call that takes as long", async (t) => {
  await using kitchen = await authKitchen(
    { cook: () => new Promise(() => {}), collect: () => new Promise(() => {}) },
    expiring(60_000),
  );
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW });
  const calls = [kitchen.kinds.Cook(headers), kitchen.kinds.Collect(headers)];
  t.mock.timers.tick(60_000);
  for (const call of calls) await assert.rejects(call, failsWith(Code.Unauthenticated));
});

test("a deadline that comes first is what ends the call", async (t) => {
  await using kitchen = await authKitchen({ cook: () => new Promise(() => {}) }, expiring(60_000));
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW });
  const call = kitchen.client.cook({}, { headers, timeoutMs: 59_999 });
  t.mock.timers.tick(59_999);
  await assert.rejects(call, failsWith(Code.DeadlineExceeded));
});

test("a time beyond what a timer can wait for is waited for all the same", async (t) => {
  await using kitchen = await authKitchen({ cook: () => new Promise(() => {}) }, expiring(60 * DAY_MS));
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW });
  const call = kitchen.client.cook({}, { headers });
  for (let day = 0; day < 59; day += 1) t.mock.timers.tick(DAY_MS);
  assert.deepEqual(kitchen.ended(), []);
  t.mock.timers.tick(DAY_MS);
  await assert.rejects(call, failsWith(Code.Unauthenticated));
});

test("a connection that a token came by before does not have it live longer", async (t) => {
  const file = await readAuthFile("auth.yaml", expiring(60_000).principals);
  const authenticator = createAuthenticator(file, undefined);
  const call = callOf(methodOf(Kitchen.method.cook, []), { connection: {}, headers });
  t.mock.timers.enable({ apis: ["Date"], now: NOW + 59_999 });
  assert.ok((await authenticator.authenticate(call)).principal);
  t.mock.timers.setTime(NOW + 60_000);
  assert.equal((await authenticator.authenticate(call)).principal, undefined);
});

test("from its time on, what is shown is good for nothing", async (t) => {
  await using kitchen = await authKitchen({}, expiring(60_000));
  t.mock.timers.enable({ apis: ["Date"], now: NOW + 59_999 });
  await kitchen.kinds.Cook(headers);
  t.mock.timers.setTime(NOW + 60_000);
  await assert.rejects(kitchen.kinds.Cook(headers), failsWith(Code.Unauthenticated));
});
