import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTarget } from "../src/target.ts";

for (const target of [
  "localhost:50051",
  "dns:///localhost:50051",
  "dns:greeter.localhost",
  "127.0.0.1:50051",
  "dns:///127.1.2.3:1",
  "[::1]:50051",
  "ipv6:[::1]:50051",
  "ipv4:127.0.0.1:1,127.0.0.2:2",
  "[::ffff:127.0.0.1]:1",
  "unix:greeter.sock",
  "unix:///run/greeter.sock",
]) {
  test(`what goes to ${target} stays on this host`, () => {
    assert.equal(parseTarget(target).local, true);
  });
}

for (const target of [
  "greeter:50051",
  "dns:///greeter:50051",
  "dns://10.0.0.53/greeter:50051",
  "dns:///localhost.example.com:1",
  "10.0.0.1:50051",
  "0.0.0.0:50051",
  "[2001:db8::1]:50051",
  "ipv4:127.0.0.1:1,10.0.0.1:2",
  "xds:///localhost:50051",
]) {
  test(`what goes to ${target} leaves this host`, () => {
    assert.equal(parseTarget(target).local, false);
  });
}

test("the name that a certificate has to have is the host's, without its port", () => {
  const host = (target: string) => parseTarget(target).host;
  assert.equal(host("dns:///greeter.example:50051"), "greeter.example");
  assert.equal(host("greeter"), "greeter");
  assert.equal(host("dns://10.0.0.53/greeter:1"), "greeter");
  assert.equal(host("[2001:db8::1]:50051"), "2001:db8::1");
  assert.equal(host("ipv4:10.0.0.1:1,10.0.0.2:2"), "10.0.0.1");
  assert.equal(host("unix:///run/greeter.sock"), "localhost");
  assert.equal(host("xds:///greeter:50051"), "greeter");
  assert.equal(host("xds://north/greeter"), "greeter");
});

test("a target of a scheme that nobody knows is refused by a sentence", () => {
  assert.throws(() => parseTarget("http://greeter:50051"), {
    name: "TypeError",
    message:
      'The target "http://greeter:50051" begins with "http:": expected "dns:", "ipv4:", "ipv6:", "unix:", "etcd:", "etcds:", "xds:" or a host and port.',
  });
});

for (const target of ["", "dns:///", "dns:", "xds://north/", "two words:1"]) {
  test(`a target that names no host is refused: ${JSON.stringify(target)}`, () => {
    assert.throws(() => parseTarget(target), /^TypeError: The target .* names no host/);
  });
}
