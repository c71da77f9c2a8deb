import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata } from "@gantry/rpc";

test("keys are case-insensitive and kept in lower case", () => {
  const metadata = new Metadata([["X-Request-ID", "7"]]);
  assert.equal(metadata.get("x-request-id"), "7");
  assert.equal(metadata.get("X-REQUEST-ID"), "7");
  assert.ok(metadata.has("X-Request-Id"));
  assert.deepEqual([...metadata], [["x-request-id", "7"]]);
});

test("a key has as many values as were appended, in their order", () => {
  const metadata = new Metadata().append("a", "1").append("b", "x").append("A", "2");
  assert.deepEqual(metadata.getAll("a"), ["1", "2"]);
  assert.equal(metadata.get("a"), "1");
  assert.equal(metadata.size, 2);
  assert.deepEqual(
    [...metadata],
    [
      ["a", "1"],
      ["a", "2"],
      ["b", "x"],
    ],
  );
});

test("set puts one value in place of all", () => {
  const metadata = new Metadata().append("a", "1").append("a", "2").set("A", "3");
  assert.deepEqual(metadata.getAll("a"), ["3"]);
});

test("delete says whether there was anything to delete", () => {
  const metadata = new Metadata([["a", "1"]]);
  assert.equal(metadata.delete("A"), true);
  assert.equal(metadata.delete("a"), false);
  assert.equal(metadata.get("a"), undefined);
  assert.deepEqual(metadata.getAll("a"), []);
});

test("keys in -bin hold bytes, any bytes", () => {
  const bytes = Uint8Array.from([0, 10, 44, 255]);
  const metadata = new Metadata([["Trace-Bin", bytes]]);
  assert.deepEqual(metadata.getBinary("trace-bin"), bytes);
  assert.equal(metadata.get("trace-bin"), undefined, "bytes are not read as text");
  assert.equal(new Metadata([["a", "1"]]).getBinary("a"), undefined, "text is not read as bytes");
});

test("names that objects inherit are keys like any other", () => {
  const metadata = new Metadata();
  assert.equal(metadata.get("constructor"), undefined);
  assert.equal(metadata.has("__proto__"), false);
  assert.equal(metadata.set("__proto__", "1").get("__proto__"), "1");
});

test("a value may be empty, and loses the blanks at its ends, which HTTP/2 would drop it for", () => {
  const metadata = new Metadata([
    ["empty", ""],
    ["padded", "  a b "],
  ]);
  assert.equal(metadata.get("empty"), "");
  assert.equal(metadata.get("padded"), "a b");
});

test("what cannot be sent is refused with a sentence that says what can", () => {
  const metadata = new Metadata();
  const refusals: [attempt: () => unknown, message: RegExp][] = [
    [() => metadata.set("", "1"), /^Metadata key "" is not valid: expected letters/],
    [() => metadata.set("a b", "1"), /^Metadata key "a b" is not valid/],
    [() => metadata.set(":path", "1"), /^Metadata key ":path" is not valid/],
    [() => metadata.append("naïve", "1"), /^Metadata key "naïve" is not valid/],
    [() => metadata.set("a", "七米"), /^The value of metadata key "a" .* under "a-bin"\.$/],
    [() => metadata.set("a", "1\r\nb: 2"), /^The value of metadata key "a"/],
    [() => metadata.set("a", Uint8Array.of(1)), /^Metadata key "a" holds text/],
    [() => metadata.append("a-bin", "1"), /^Metadata key "a-bin" ends in "-bin": expected a Uint8Array/],
  ];
  for (const [attempt, message] of refusals) assert.throws(attempt, { name: "TypeError", message });
  assert.equal(metadata.size, 0);
});
