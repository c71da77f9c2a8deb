import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonFault, parseJson } from "../src/transport/http/rest/json-text.ts";

const WELL_MADE = [
  "null",
  " true ",
  "false",
  "0",
  "-0",
  "7",
  "-12",
  "1.5",
  "1e3",
  "1E+2",
  "2e-2",
  "0.1",
  "123456789012345",
  "1234567890123456",
  '""',
  '"a"',
  '"七\u2028"',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00"',
  '"\\ud800"',
  "[]",
  "[ ]",
  "[1,[2,[]], {} ]",
  "{}",
  '{"a":1,"b":{"c":[true,null]}}',
  '\n\t{ "a" : "b" }\r\n',
  '{"":0,"\\u0061":1,"toString":2,"__proto__":{"x":1}}',
];

const BROKEN: readonly (readonly [text: string, fault: string])[] = [
  ["", "line 1, column 1: expected a value, found the end"],
  ["{", "line 1, column 2: expected a name in double quotes, found the end"],
  ['{"a":1', 'line 1, column 7: expected "," or "}" after a value, found the end'],
  ['{"a":1,}', 'line 1, column 8: expected a name in double quotes, found "}"'],
  ["{a:1}", 'line 1, column 2: expected a name in double quotes, found "a"'],
  ["{'a':1}", 'line 1, column 2: expected a name in double quotes, found "\'"'],
  ['{"a" 1}', 'line 1, column 6: expected ":" after a name, found "1"'],
  ["[1,]", 'line 1, column 4: expected a value, found "]"'],
  ["[1 2]", 'line 1, column 4: expected "," or "]" after a value, found "2"'],
  ["[1}", 'line 1, column 3: expected "," or "]" after a value, found "}"'],
  ["1 2", 'line 1, column 3: expected nothing more, found "2"'],
  ["01", 'line 1, column 2: expected nothing more, found "1"'],
  ["[00]", 'line 1, column 3: expected "," or "]" after a value, found "0"'],
  ["1.", 'line 1, column 2: expected nothing more, found "."'],
  [".5", 'line 1, column 1: expected a value, found "."'],
  ["+1", 'line 1, column 1: expected a value, found "+"'],
  ["-", 'line 1, column 1: expected a value, found "-"'],
  ["1e", 'line 1, column 2: expected nothing more, found "e"'],
  ["0x10", 'line 1, column 2: expected nothing more, found "x"'],
  ["NaN", 'line 1, column 1: expected a value, found "N"'],
  ["nul", 'line 1, column 1: expected a value, found "n"'],
  ["undefined", 'line 1, column 1: expected a value, found "u"'],
  ['"a', "line 1, column 3: expected a text that ends in double quotes, found the end"],
  ['"a\n"', 'line 1, column 3: expected a text that ends in double quotes, found "\\n"'],
  ['"\\x"', 'line 1, column 2: expected an escape of JSON, as \\n or \\u00e9, found "\\\\"'],
  ['"\\u12g4"', 'line 1, column 2: expected an escape of JSON, as \\n or \\u00e9, found "\\\\"'],
  ['"\\', 'line 1, column 2: expected an escape of JSON, as \\n or \\u00e9, found "\\\\"'],
  ['{\n  "name": "七",\n  "😀": x\n}', 'line 3, column 8: expected a value, found "x"'],
  ["[1,\u00a02]", 'line 1, column 4: expected a value, found "\u00a0"'],
  ["// no\n1", 'line 1, column 1: expected a value, found "/"'],
];

function faultOf(text: string): string | undefined {
  try {
    parseJson(text);
  } catch (error) {
    assert.ok(error instanceof JsonFault, String(error));
    return error.message;
  }
  return undefined;
}

test("what JSON.parse reads is read, to the same value", () => {
  for (const text of WELL_MADE) assert.deepStrictEqual(parseJson(text), JSON.parse(text), text);
});

test("what JSON.parse refuses is refused, with line and column of the first fault", () => {
  for (const [text, fault] of BROKEN) {
    assert.throws(() => JSON.parse(text), SyntaxError, text);
    assert.equal(faultOf(text), fault, text);
  }
});

test("a text that is cut or changed anywhere is refused where JSON.parse refuses it, and nowhere else", () => {
  const whole = '{"a":[1,-2.5e3,"x\\n\\u00e9",true,null,{"b":{}}], "c":"七" , "d":[[],0]}';
  const changed = [...'{}[]:,"\\0-+.eEtfn /\u0001'];
  for (let at = 0; at < whole.length; at += 1) {
    const texts = [whole.slice(0, at), whole.slice(at), whole.slice(0, at) + whole.slice(at + 1)];
    for (const letter of changed) texts.push(whole.slice(0, at) + letter + whole.slice(at + 1));
    for (const text of texts) {
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        assert.ok(faultOf(text), text);
        continue;
      }
      // What JSON.parse takes is only refused for a name that stands twice.
      if (!faultOf(text)?.includes("stands twice")) assert.deepStrictEqual(parseJson(text), expected, text);
    }
  }
});

test("whole numbers that a double does not hold keep all of their digits", () => {
  assert.deepEqual(
    parseJson("[9007199254740993,-9223372036854775808,18446744073709551615,9007199254740991]"),
    [9_007_199_254_740_993n, -9_223_372_036_854_775_808n, 18_446_744_073_709_551_615n, 9_007_199_254_740_991],
  );
  assert.equal(parseJson("9".repeat(1_000_000)), Number.POSITIVE_INFINITY);
});

test("a name that stands twice in one object is refused, however it is written", () => {
  assert.equal(
    faultOf('{"a":1,\n "\\u0061":2}'),
    'line 2, column 2: the name "a" stands twice in one object',
  );
  assert.equal(
    faultOf('{"__proto__":1,"__proto__":2}'),
    'line 1, column 16: the name "__proto__" stands twice in one object',
  );
  assert.equal(faultOf('[{"a":1},{"a":2,"b":{"a":3}}]'), undefined);
});

test("lists and objects nest at most 100 deep, and a bomb of them is no trouble", () => {
  assert.equal(faultOf("[".repeat(100) + "]".repeat(100)), undefined);
  const deep = "line 1, column 101: lists and objects are nested more than 100 deep";
  assert.equal(faultOf("[".repeat(101) + "]".repeat(101)), deep);
  assert.equal(faultOf("[".repeat(4_000_000)), deep);
  assert.match(faultOf('{"a":'.repeat(10_000)) ?? "", /nested more than 100 deep/);
});

test("no name reaches the prototype of an object", () => {
  const json = parseJson('{"__proto__":{"polluted":true}}');
  assert.deepEqual(Object.getPrototypeOf(json), Object.prototype);
  assert.equal(Object.hasOwn({}, "polluted"), false);
});
