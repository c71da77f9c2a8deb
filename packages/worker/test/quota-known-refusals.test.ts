import assert from "node:assert/strict";
import { test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { type RuleParts, ruleOf } from "./support/calls.ts";
import { refusalOf, sharedStore } from "./support/shared-store.ts";

const rule = (parts: RuleParts) => ruleOf(Greeter.method.sayHello, parts);

test("who was refused is refused again without a question, until the wait is over", async () => {
  await using shared = await sharedStore();
  const tenth = rule({ limit: 1, windowMs: 100 });
  assert.equal((await shared.take(tenth)).allowed, true);
  assert.equal(refusalOf(await shared.take(tenth))?.retryAfterMs, 100);
  shared.clock.advance(99);
  const again = shared.take(tenth);
  assert.ok(!(again instanceof Promise));
  assert.equal(refusalOf(again)?.retryAfterMs, 1);
  assert.equal(shared.asked.length, 2);
  shared.clock.advance(1);
  assert.equal((await shared.take(tenth)).allowed, true);
});

test("others are asked about, and so is who was refused once a second has gone by or policies changed", async () => {
  await using shared = await sharedStore();
  const once = rule({ limit: 1 });
  await shared.take(once);
  await shared.take(once);
  assert.ok(!(shared.take(once) instanceof Promise));
  assert.ok(shared.take(once, "小明") instanceof Promise);
  shared.clock.advance(1_000);
  assert.equal(refusalOf(await shared.take(once))?.retryAfterMs, undefined);
  shared.store.retain([once], [[once]]);
  assert.ok(shared.take(once) instanceof Promise);
});

test("a refusal of several quotas is not taken for granted: the others may have changed", async () => {
  await using shared = await sharedStore();
  const both = ["one", "other"].map((id) => ({ rule: rule({ id, limit: 1 }), subject: "七米" }));
  await shared.store.take(both);
  assert.equal((await shared.store.take(both)).allowed, false);
  assert.ok(shared.store.take(both) instanceof Promise);
});

test("a rule that was changed while the store was asked does not inherit the refusal", async () => {
  await using shared = await sharedStore();
  const [once, changed] = [rule({ limit: 1 }), rule({ limit: 2 })];
  await shared.take(once);
  const asked = shared.take(once);
  shared.store.retain([changed], [[changed]]);
  assert.equal((await asked).allowed, false);
  assert.equal((await shared.take(changed)).allowed, true);
});
