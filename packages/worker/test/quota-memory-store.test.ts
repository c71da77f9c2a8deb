import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import type { QuotaRule } from "../src/policy/policy.ts";
import { createMemoryStore } from "../src/quota/memory-store.ts";
import { manualClock } from "../src/testing.ts";
import { type RuleParts, ruleOf } from "./support/calls.ts";

const desc = Greeter.method.sayHello;
const rule = (parts: RuleParts) => ruleOf(desc, parts);

function memoryStore(maxSubjects = 1_000) {
  const clock = manualClock();
  const store = createMemoryStore({ clock, maxSubjects });
  return {
    clock,
    store,
    take: (of: QuotaRule, subject: string) => store.take([{ rule: of, subject }]).allowed,
  };
}

test("subjects are counted apart, and so are quotas", () => {
  const { take } = memoryStore();
  const [calls, others] = [rule({ id: "calls" }), rule({ id: "others" })];
  assert.equal(take(calls, "七米"), true);
  assert.equal(take(calls, "七米"), false);
  assert.equal(take(calls, "小明"), true);
  assert.equal(take(others, "七米"), true);
});

test("methods that name the same quota share one count", () => {
  const { take } = memoryStore();
  const shared = { id: "shared", subject: "request.name", limit: 2, windowMs: 1_000 };
  assert.equal(take(ruleOf(Greeter.method.sayHello, shared), "七米"), true);
  assert.equal(take(ruleOf(Greeter.method.lotsOfReplies, shared), "七米"), true);
  assert.equal(take(ruleOf(Greeter.method.sayHello, shared), "七米"), false);
});

test("several quotas are charged all or none, and every one that refuses is named", () => {
  const { store } = memoryStore();
  const [wide, narrow, closed] = [
    rule({ id: "wide", limit: 3 }),
    rule({ id: "narrow", limit: 1, windowMs: 1_000 }),
    rule({ id: "closed", limit: 0 }),
  ];
  const charge = (of: QuotaRule) => ({ rule: of, subject: "七米" });
  assert.equal(store.take([charge(wide), charge(narrow)]).allowed, true);
  for (let time = 0; time < 5; time += 1) {
    assert.deepEqual(store.take([charge(closed), charge(wide), charge(narrow)]), {
      allowed: false,
      refusals: [
        { charge: charge(closed), retryAfterMs: undefined },
        { charge: charge(narrow), retryAfterMs: 1_000 },
      ],
    });
  }
  assert.deepEqual(store.take([charge(wide)]), {
    allowed: true,
    states: [{ remaining: 1, resetMs: undefined }],
  });
});

test("no more subjects are remembered than the setting says, over all quotas together", () => {
  const { store, take } = memoryStore(100);
  const rules = ["one", "two", "three"].map((id) => rule({ id, limit: 5 }));
  for (let subject = 0; subject < 1_000; subject += 1) {
    for (const each of rules) take(each, `subject ${subject}`);
    assert.ok(store.subjects <= 100);
  }
  assert.equal(store.subjects, 100);
});

test("the subject that has been idle for longest is forgotten first; to be refused is not to be idle", () => {
  const { take } = memoryStore(2);
  const once = rule({ limit: 1 });
  take(once, "refused");
  take(once, "idle");
  assert.equal(take(once, "refused"), false);
  assert.equal(take(once, "newcomer"), true);
  assert.equal(take(once, "refused"), false);
  assert.equal(take(once, "idle"), true);
});

test("which subject has been idle for longest is known across quotas", () => {
  const { take } = memoryStore(2);
  const [one, other] = [rule({ id: "one" }), rule({ id: "other" })];
  take(one, "七米");
  take(other, "小明");
  assert.equal(take(one, "七米"), false);
  assert.equal(take(one, "newcomer"), true);
  assert.equal(take(one, "七米"), false);
  assert.equal(take(other, "小明"), true);
});

test("a subject whose bucket is full again is forgotten before one that would gain by it", () => {
  const { clock, take } = memoryStore(2);
  const [forever, brief] = [rule({ id: "forever" }), rule({ id: "brief", windowMs: 1_000 })];
  take(forever, "longest idle");
  take(brief, "full again");
  clock.advance(1_000);
  assert.equal(take(brief, "newcomer"), true);
  assert.equal(take(forever, "longest idle"), false);
});

test("a subject that was forgotten gains one fresh allowance and no more", () => {
  const { take } = memoryStore(1);
  const thrice = rule({ limit: 3, windowMs: 60_000 });
  const passed = (times: number) => Array.from({ length: times }, () => take(thrice, "七米")).filter(Boolean);
  assert.equal(passed(9).length, 3);
  take(thrice, "somebody else");
  assert.equal(passed(9).length, 3);
});

test("a subject that is refused takes nobody's place", () => {
  const { store, take } = memoryStore(1);
  const [once, closed] = [rule({ id: "once" }), rule({ id: "closed", limit: 0 })];
  take(once, "七米");
  for (let stranger = 0; stranger < 10; stranger += 1) {
    const subject = `stranger ${stranger}`;
    const charges = [
      { rule: once, subject },
      { rule: closed, subject },
    ];
    assert.equal(store.take(charges).allowed, false);
  }
  assert.equal(store.subjects, 1);
  assert.equal(take(once, "七米"), false);
});

test("long subjects are told apart by their last character, and not kept whole", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const { take } = memoryStore();
  const once = rule({ limit: 1 });
  const megabyte = "x".repeat(1024 * 1024);
  const used = () => {
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  for (let subject = 0; subject < 40; subject += 1) {
    assert.equal(take(once, Buffer.from(`${megabyte}${subject}`).toString("latin1")), true);
  }
  assert.ok(used() - before < 8 * 1024 * 1024);
  assert.equal(take(once, `${megabyte}7`), false);
  assert.equal(take(once, `${megabyte}70`), true);
});

test("when rules change, those that stay as they were keep their counts and the others start anew", () => {
  const { store, take } = memoryStore();
  const [kept, changed, removed] = ["kept", "changed", "removed"].map((id) => rule({ id, limit: 1 }));
  assert.ok(kept && changed && removed);
  for (const each of [kept, changed, removed]) take(each, "七米");
  const [keptNow, changedNow] = [rule({ id: "kept", limit: 1 }), rule({ id: "changed", limit: 2 })];
  store.retain([keptNow, changedNow]);
  assert.equal(store.subjects, 1);
  assert.equal(take(keptNow, "七米"), false);
  assert.equal(take(changedNow, "七米"), true);
  assert.equal(take(changedNow, "七米"), true);
  assert.equal(take(changedNow, "七米"), false);
  store.retain([kept, changed, removed]);
  assert.equal(take(kept, "七米"), false);
  assert.equal(take(removed, "七米"), true);
});

test("a rule is another one as soon as its limit, window, subject or unit is another", () => {
  const same: RuleParts = { id: "same", limit: 1, windowMs: 1_000, subject: "request.name", per: "call" };
  const changes: RuleParts[] = [
    { limit: 2 },
    { windowMs: 2_000 },
    { subject: "peer" },
    { per: "message" },
    { id: "other" },
  ];
  for (const change of changes) {
    const { store, take } = memoryStore();
    take(rule(same), "七米");
    store.retain([rule({ ...same, ...change })]);
    assert.equal(store.subjects, 0, JSON.stringify(change));
  }
});

test("a store that is closed has forgotten everything", async () => {
  const { store, take } = memoryStore();
  take(rule({}), "七米");
  await store.close();
  assert.equal(store.subjects, 0);
});

test("the fullest are told by what they have left now, at most 20 of them, and who is full again is not", () => {
  const { store, take, clock } = memoryStore();
  const [wide, narrow] = [rule({ id: "wide", limit: 4 }), rule({ id: "narrow", limit: 2, windowMs: 1_000 })];
  take(wide, "七米");
  take(narrow, "小明");
  take(narrow, "小明");
  assert.deepEqual(store.fullest(), [
    { quota: "narrow", subject: "小明", limit: 2, remaining: 0 },
    { quota: "wide", subject: "七米", limit: 4, remaining: 3 },
  ]);
  clock.advance(1_000);
  assert.deepEqual(store.fullest(), [{ quota: "wide", subject: "七米", limit: 4, remaining: 3 }]);
  for (let index = 0; index < 30; index += 1) take(wide, `${index}`);
  assert.equal(store.fullest().length, 20);
});
