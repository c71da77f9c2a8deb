import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  EventSchema,
  Event_EventType as EventType,
  KeyValueSchema,
} from "@gantry/proto/etcd/api/mvccpb/kv_pb.js";
import { formatHostAndPort } from "@gantry/rpc";
import { entryOf } from "../src/etcd/keys.ts";
import { KnownInstances, MAX_INSTANCES } from "../src/etcd/known-instances.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const instance = (port: number) =>
  create(KeyValueSchema, entryOf("gantry", "greeter", { host: "10.0.0.1", port }));
const other = (value: string) =>
  create(KeyValueSchema, { key: bytes("gantry/greeter/other"), value: bytes(value) });
const put = (kv: ReturnType<typeof instance>) => create(EventSchema, { type: EventType.PUT, kv });
const removed = ({ key }: ReturnType<typeof instance>) =>
  create(EventSchema, { type: EventType.DELETE, kv: { key } });
const at = (revision: bigint, clusterId = 7n) => ({ clusterId, revision });
const portsOf = (known: KnownInstances) => known.addresses().map(({ port }) => port);

test("what is put is known from then on, what is removed is not", () => {
  const known = new KnownInstances();
  known.list([instance(2), instance(1)], at(5n));
  known.apply([put(instance(3)), removed(instance(1))], 6n);
  assert.deepEqual(portsOf(known), [2, 3]);
  known.apply([removed(instance(2)), removed(instance(3)), removed(instance(9))], 7n);
  assert.deepEqual(portsOf(known), []);
});

test("a later list of the same etcd replaces the one before", () => {
  const known = new KnownInstances();
  known.list([instance(1), instance(2)], at(5n));
  assert.equal(known.list([instance(2)], at(9n)), false);
  assert.deepEqual(portsOf(known), [2]);
});

for (const [what, entries, readAt] of [
  ["has lost its history", [instance(3)], at(2n)],
  ["is another one", [instance(3)], at(50n, 8n)],
] as const) {
  test(`what an etcd had is kept beside the list of one that ${what}, until it is dropped`, () => {
    const known = new KnownInstances();
    known.list([instance(1), instance(2)], at(5n));
    assert.equal(known.list(entries, readAt), true);
    assert.deepEqual(portsOf(known), [1, 2, 3]);
    known.apply([removed(instance(1))], readAt.revision + 1n);
    assert.deepEqual(portsOf(known), [2, 3], "what is removed on purpose is gone");
    known.dropKept();
    assert.deepEqual(portsOf(known), [3]);
  });
}

test("what was known is kept beside a list with nothing in it", () => {
  const known = new KnownInstances();
  known.list([instance(1)], at(5n));
  assert.equal(known.list([], at(9n)), true);
  assert.deepEqual(portsOf(known), [1]);
});

test("the history of an etcd is known as far as its watch has told", () => {
  const known = new KnownInstances();
  known.list([instance(1)], at(5n));
  known.apply([], 90n);
  assert.equal(known.list([instance(2)], at(60n)), true, "it has gone back from 90 to 60");
});

test("an address that stands there twice is one instance", () => {
  const known = new KnownInstances();
  const again = create(KeyValueSchema, { ...instance(1), key: bytes("gantry/greeter/again") });
  known.list([instance(1), again], at(5n));
  assert.deepEqual(known.addresses().map(formatHostAndPort), ["10.0.0.1:1"]);
  known.apply([removed(again)], 6n);
  assert.deepEqual(portsOf(known), [1]);
});

for (const value of [
  "",
  "10.0.0.1:1",
  "null",
  "{}",
  '{"Addr":7}',
  '{"Addr":"10.0.0.1"}',
  '{"Addr":"a b:1"}',
  "\0",
]) {
  test(`an entry that is no instance is passed over: ${JSON.stringify(value)}`, () => {
    const known = new KnownInstances();
    known.list([instance(1), other(value)], at(5n));
    assert.deepEqual(portsOf(known), [1]);
  });
}

test("an instance whose entry becomes something else is one no more", () => {
  const known = new KnownInstances();
  known.list([instance(1)], at(5n));
  known.apply([put(create(KeyValueSchema, { ...instance(1), value: bytes("?") }))], 6n);
  assert.deepEqual(portsOf(known), []);
});

test("there is an end to how many instances are known", () => {
  const known = new KnownInstances();
  known.list([], at(5n));
  for (let port = 1; port <= MAX_INSTANCES + 1; port += 1) known.apply([put(instance(port))], 6n);
  assert.equal(known.addresses().length, MAX_INSTANCES);
});
