import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseProtocol } from "../src/transport/tls/alpn.ts";

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
  test(`a client that offers ${offered.join(" and ") || "nothing"} gets ${byDefault} by default, or ${h2First} where h2 is preferred`, () => {
    assert.equal(chooseProtocol(offered, ["http/1.1", "h2"]), byDefault);
    assert.equal(chooseProtocol(offered, ["h2", "http/1.1"]), h2First);
  });
}

test("what is not spoken is given to nobody", () => {
  assert.equal(chooseProtocol(["h2", "http/1.1"], ["h2"]), "h2");
  assert.equal(chooseProtocol(["http/1.1"], ["h2"]), undefined);
});
