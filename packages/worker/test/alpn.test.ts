import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseProtocol } from "../src/transport/alpn.ts";

const CASES: readonly [offered: string[], byDefault: string | undefined, h2First: string | undefined][] = [
  [["h2"], "h2", "h2"],
  [["http/1.1"], "http/1.1", "http/1.1"],
  [["h2", "http/1.1"], "http/1.1", "h2"],
  [["http/1.1", "h2"], "http/1.1", "h2"],
  [["grpc-exp", "h2"], "h2", "h2"],
  [["http/1.0", "spdy/3"], undefined, undefined],
  [[], undefined, undefined],
];

for (const [offered, byDefault, h2First] of CASES) {
  test(`a client that offers ${offered.join(" and ") || "nothing"} gets ${byDefault}, or ${h2First} where h2 is preferred`, () => {
    assert.equal(chooseProtocol(offered), byDefault);
    assert.equal(chooseProtocol(offered, "http/1.1"), byDefault);
    assert.equal(chooseProtocol(offered, "h2"), h2First);
  });
}
