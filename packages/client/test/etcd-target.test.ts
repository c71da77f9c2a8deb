import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdTarget } from "../src/etcd-target.ts";
import { connect } from "../src/index.ts";
import { parseTarget } from "../src/target.ts";

/** What a target means: the members of etcd, whether over TLS, and the range of keys. */
function meaning(target: string, discovery?: string) {
  const { etcd, name } = etcdTarget(parseTarget(target), { discovery });
  const members = etcd.hosts.map(({ host, port }) => `${host}:${port}`).join();
  return [members, etcd.tls, `${etcd.prefix}/${name}`];
}

test("a target without an etcd of its own means that of DISCOVERY, and its prefix", () => {
  assert.deepEqual(meaning("etcd:///greeter", "etcd://one:1,two"), [
    "one:1,two:2379",
    false,
    "gantry/greeter",
  ]);
  assert.deepEqual(meaning("etcd:///greeter", "etcds://one/team/a/"), ["one:2379", true, "team/a/greeter"]);
  assert.deepEqual(meaning("etcd:///own/greeter", "etcd://one/team"), ["one:2379", false, "own/greeter"]);
});

test("a target with an etcd of its own needs no DISCOVERY, and heeds none", () => {
  const target = "etcd://one:1,[::1]:2/greeter";
  assert.deepEqual(meaning(target, "etcds://other/team"), ["one:1,::1:2", false, "gantry/greeter"]);
  assert.deepEqual(meaning("etcds://one/team/greeter"), ["one:2379", true, "team/greeter"]);
});

test("instances may be anywhere, so what is sent to them counts as exposed", () => {
  assert.equal(parseTarget("etcd://127.0.0.1/greeter").local, false);
});

test("the name that an instance's certificate has to have is that of the service", () => {
  assert.equal(parseTarget("etcd:///greeter").host, "greeter");
  assert.equal(parseTarget("etcds://one:1,two:2/team/greeter").host, "greeter");
});

for (const [target, discovery, message] of [
  [
    "etcd:///greeter",
    "",
    'The target "etcd:///greeter" names no etcd: expected etcd://host:2379/greeter, or DISCOVERY to be set.',
  ],
  ["etcd:greeter", "etcd://one", /"etcd:greeter" names no service: expected one such as etcd:\/\/\/greeter/],
  ["etcd:///team/", "etcd://one", /names no service/],
  ["etcd://one:0/greeter", "", /names no etcd: expected hosts as host:port, with a port from 1 to 65535/],
  ["etcd:///greeter", "redis://one", /^DISCOVERY names no etcd: expected a URL such as etcd:/],
  ["etcds:///greeter", "etcd://one", "DISCOVERY names no etcd: expected DISCOVERY to be over TLS too."],
] as const) {
  test(`${target} is refused where DISCOVERY is "${discovery}"`, () => {
    assert.throws(() => connect(target, { discovery }), { name: "TypeError", message });
  });
}

test("a password is refused in a target, and shown by no error", () => {
  const message = "An etcd target holds a user or password: expected them in DISCOVERY alone.";
  assert.throws(() => connect("etcds://me:hunter2@one/greeter"), { message });
  for (const discovery of ["etcd://me:hunter2@one", "etcds://me:hunter2@one:0", "me:hunter2@one"]) {
    assert.throws(
      () => connect("etcd:///greeter", { discovery }),
      (error) => error instanceof TypeError && !error.message.includes("hunter2"),
    );
  }
});

test("a password goes over TLS, or to an etcd of this host", () => {
  assert.throws(
    () => connect("etcd:///greeter", { discovery: "etcd://me:hunter2@127.0.0.1,10.0.0.1" }),
    /expected a password to go over TLS, by etcds:\/\/, unless etcd is on this host/,
  );
  assert.equal(meaning("etcd:///greeter", "etcd://me:hunter2@localhost")[1], false);
});
