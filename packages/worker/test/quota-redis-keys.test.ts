import assert from "node:assert/strict";
import { test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { RedisKeys } from "../src/quota/redis-keys.ts";
import { ruleOf } from "./support/calls.ts";

const rule = (id: string, subject: string) =>
  ruleOf(Greeter.method.sayHello, { id, subject, windowMs: 1_000 });
const perName = rule("per-name", "request.name");
const perDay = rule("per-day", "request.name");
const perPeer = rule("per-peer", "peer");
const apart = rule("apart", "request.name");

/** What decides of a key's hash slot. Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec */
function tagOf(key: string): string {
  const tag = /\{(.*?)\}/s.exec(key)?.[1];
  assert.ok(tag, `${key} has no hash tag`);
  return tag;
}

test("a key says whose count it is: the worker's, the rule's and the subject's", () => {
  const keys = new RedisKeys("greeter");
  keys.retain([[perName]]);
  assert.equal(
    keys.of(perName).keyOf("七米"),
    "gantry:quota:greeter:per-name:1:1000000:request.name:call:{s:七米}",
  );
  assert.equal(keys.replicas, "gantry:quota:{greeter}:replicas");
});

test("quotas of one subject share its slot, and subjects have slots of their own", () => {
  const keys = new RedisKeys("greeter");
  keys.retain([[perName, perDay], [perPeer]]);
  assert.equal(tagOf(keys.of(perName).keyOf("七米")), tagOf(keys.of(perDay).keyOf("七米")));
  assert.notEqual(tagOf(keys.of(perName).keyOf("七米")), tagOf(keys.of(perName).keyOf("小明")));
});

test("quotas that meet other subjects, and those that meet them, share the slot of their worker", () => {
  const keys = new RedisKeys("greeter");
  keys.retain([[perName, perDay], [perDay, perPeer], [apart]]);
  const tags = [perName, perDay, perPeer].map((each) => tagOf(keys.of(each).keyOf("七米")));
  assert.deepEqual(tags, ["greeter", "greeter", "greeter"]);
  assert.equal(tagOf(keys.of(apart).keyOf("七米")), "s:七米");
});

test("before policies are known, no charge of a call is on another node than the others", () => {
  const keys = new RedisKeys("greeter");
  assert.equal(tagOf(keys.of(perName).keyOf("七米")), tagOf(keys.of(perPeer).keyOf("127.0.0.1")));
});

test("no subject, and no name of a worker, makes a key look like another one", () => {
  const keys = new RedisKeys("gre:e{t}er");
  keys.retain([[perName, perDay], [perPeer]]);
  assert.equal(keys.replicas, "gantry:quota:{gre%3Ae%7Bt%7Der}:replicas");
  for (const subject of ["", "}", "{}", "a}b", "}:{x}"]) {
    const [one, other] = [perName, perDay].map((each) => keys.of(each).keyOf(subject));
    assert.equal(tagOf(one ?? ""), tagOf(other ?? ""));
  }
});
