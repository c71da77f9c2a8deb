import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { implement, startWorker, unimplemented } from "../src/index.ts";
import { parseTrustedProxies } from "../src/trusted-proxies.ts";

const TRUSTED = "10.0.0.0/8, fd00::/8, 192.0.2.7";

const CASES: readonly [peer: string, forwardedFor: string | undefined, caller: string, why: string][] = [
  ["203.0.113.5:4711", "198.51.100.1", "203.0.113.5:4711", "who is no proxy has no say in who it is"],
  ["10.1.2.3:4711", undefined, "10.1.2.3:4711", "a proxy that says nothing calls for itself"],
  ["10.1.2.3:4711", "198.51.100.1", "198.51.100.1", "a proxy says who called it"],
  ["[fd00::1]:4711", "2001:db8::1", "2001:db8::1", "by IPv6 too"],
  ["[::ffff:10.1.2.3]:4711", "198.51.100.1", "198.51.100.1", "and on a socket that takes both"],
  ["192.0.2.7:1", "198.51.100.1:443", "198.51.100.1", "a port that the proxy adds is left out"],
  ["10.1.2.3:4711", "1.1.1.1, 198.51.100.1, 10.9.9.9", "198.51.100.1", "through proxies behind each other"],
  ["10.1.2.3:4711", "1.1.1.1, 198.51.100.1", "198.51.100.1", "what the caller wrote itself is hearsay"],
  ["10.1.2.3:4711", "10.4.4.4, 10.9.9.9", "10.4.4.4", "a caller from among the proxies is the first of them"],
  ["10.1.2.3:4711", "198.51.100.1, unknown", "10.1.2.3:4711", "what is no address ends the list"],
  ["10.1.2.3:4711", "", "10.1.2.3:4711", "an empty list says nothing"],
];

describe("TRUSTED_PROXIES", () => {
  for (const [peer, forwardedFor, caller, why] of CASES) {
    test(`${why}: ${peer} with ${JSON.stringify(forwardedFor)} is ${caller}`, () => {
      const proxies = parseTrustedProxies(TRUSTED) ?? assert.fail("It was not read.");
      assert.equal(
        proxies.callerOf(peer, () => forwardedFor),
        caller,
      );
    });
  }

  for (const text of [
    "proxy",
    "10.0.0.0/33",
    "fd00::/129",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/8,,",
    "/8",
  ]) {
    test(`${JSON.stringify(text)} is no list of them`, () => {
      assert.equal(parseTrustedProxies(text), undefined);
    });
  }

  test("a worker takes the word of the proxies that it is told of", async () => {
    const peers: string[] = [];
    const greeter = implement(Greeter, {
      sayHello({ name }, call) {
        peers.push(call.peer);
        return { reply: name };
      },
      lotsOfReplies: unimplemented,
      lotsOfGreetings: unimplemented,
      bidiHello: unimplemented,
    });
    const env = { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent", TRUSTED_PROXIES: "127.0.0.1" };
    const worker = await startWorker({ name: "greeter", version: "1.0.0", services: [greeter], env });
    try {
      const url = `http://127.0.0.1:${worker.port}/api/v1/greeter/you`;
      await fetch(url, { headers: { "x-forwarded-for": "1.1.1.1, 198.51.100.1" } });
      await fetch(url);
      assert.equal(peers[0], "198.51.100.1");
      assert.match(String(peers[1]), /^127\.0\.0\.1:\d+$/);
    } finally {
      await worker.stop();
    }
  });
});
