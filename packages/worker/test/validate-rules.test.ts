import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { compileMessage } from "../src/validate/message.ts";
import { field, repeated, sampleType } from "./support/message-types.ts";
import { assertAgreement } from "./support/protovalidate.ts";

const COLOUR = {
  name: "Colour",
  value: [
    { name: "RED", number: 0 },
    { name: "BLUE", number: 5 },
  ],
};

/** One field `value` with rules, and values for it, of which the first is valid. */
type Row = readonly [type: string, rules: JsonObject, ...values: JsonValue[]];

const STRINGS: readonly Row[] = [
  ["string", { string: { const: "abc" } }, "abc", "", "abcd"],
  ["string", { string: { len: 2 } }, "七米", "七", "👋", "👋👋", "abc"],
  ["string", { string: { minLen: 2 } }, "七米", "", "七", "👋", "👋👋", "a👋"],
  ["string", { string: { maxLen: 2 } }, "七米", "", "👋👋", "👋👋👋", "abc", "👋ab"],
  ["string", { string: { lenBytes: 3 } }, "七", "ab", "👋"],
  ["string", { string: { minBytes: 3, maxBytes: 4 } }, "七", "ab", "👋", "👋a"],
  ["string", { string: { pattern: "^[a-z]+$" } }, "abc", "", "ABC", "abc\n"],
  ["string", { string: { prefix: "ab", suffix: "yz" } }, "abyz", "", "ab", "yz"],
  ["string", { string: { contains: "b", notContains: "c" } }, "abd", "acd", "abc", ""],
  ["string", { string: { in: ["a", "b"] } }, "b", "", "c"],
  ["string", { string: { notIn: ["a", "b"] } }, "c", "a", ""],
  ["string", { string: { minLen: 3, pattern: "^[a-z]*$", prefix: "x" } }, "xyz", "", "A", "x"],
  ["string", { string: { uuid: true } }, "123e4567-e89b-12d3-a456-426614174000", "", "123e4567"],
  ["string", { string: { tuuid: true } }, "123e4567e89b12d3a456426614174000", "", "g"],
  ["string", { string: { ulid: true } }, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "", "81ARZ3NDEKTSV4RRFFQ69G5FAV"],
  ["string", { string: { email: true } }, "a@b.example", "", "a@", "a@b@c", "a@-b"],
  [
    "string",
    { string: { hostname: true } },
    "a-b.example.",
    "",
    "-a",
    "a..b",
    "1.2",
    "a_b",
    "é",
    "a".repeat(64),
  ],
  ["string", { string: { ipv4: true } }, "192.0.2.1", "", "192.0.2", "192.0.2.256", "192.0.2.01", "::1"],
  ["string", { string: { minLen: 1, email: false, example: ["x"] } }, "x", ""],
];

const NUMBERS: readonly Row[] = [
  ["int32", { int32: { const: 7 } }, 7, 0, -7],
  ["int32", { int32: { gt: 1 } }, 2, 1],
  ["int32", { int32: { gte: 1 } }, 1, 0],
  ["int32", { int32: { lt: 1 } }, 0, 1],
  ["int32", { int32: { lte: 1 } }, 1, 2],
  ["sint32", { sint32: { gt: 1, lt: 5 } }, 2, 1, 5],
  ["sfixed32", { sfixed32: { gte: 1, lte: 5 } }, 5, 0, 6],
  ["uint32", { uint32: { gt: 5, lt: 1 } }, 6, 0, 1, 3, 5],
  ["fixed32", { fixed32: { gte: 5, lte: 1 } }, 5, 1, 3],
  ["int64", { int64: { gt: "1", lte: "9007199254740993" } }, "9007199254740993", "9007199254740994", "1"],
  ["sint64", { sint64: { in: ["1", "-2"] } }, "-2", "2"],
  ["sfixed64", { sfixed64: { notIn: ["1", "2"] } }, "3", "2"],
  ["uint64", { uint64: { const: "18446744073709551615" } }, "18446744073709551615", "0"],
  ["fixed64", { fixed64: { lt: "2" } }, "1", "2"],
  ["float", { float: { gte: 0.5, lt: 1.5 } }, 0.5, 0.25, 1.5, "NaN", "Infinity"],
  ["double", { double: { gt: 2, lt: 1 } }, 3, 1.5, 0, "NaN"],
  ["double", { double: { finite: true } }, 1e308, "NaN", "Infinity", "-Infinity"],
  ["double", { double: { in: [0.1, 1e21] } }, 0.1, 0.2, "NaN"],
  ["double", { double: { notIn: [0.1], finite: false } }, "NaN", 0.1],
  ["bool", { bool: { const: true } }, true, false],
];

const BYTES: readonly Row[] = [
  ["bytes", { bytes: { const: "AQI=" } }, "AQI=", "", "AQE="],
  ["bytes", { bytes: { len: 2 } }, "AQI=", "AQ=="],
  ["bytes", { bytes: { minLen: 1, maxLen: 2 } }, "AQI=", "", "AQID"],
  ["bytes", { bytes: { prefix: "AQ==", suffix: "Ag==", contains: "AwM=" } }, "AQMDAg==", "AQI=", "", "AgMB"],
  ["bytes", { bytes: { in: ["YQ==", "Yg=="] } }, "Yg==", "", "Yw=="],
  ["bytes", { bytes: { notIn: ["YQ==", "Yg=="] } }, "Yw==", "YQ=="],
];

describe("a rule finds what protovalidate finds, without loading it", () => {
  for (const [type, rules, ...values] of [...STRINGS, ...NUMBERS, ...BYTES]) {
    test(`${type} ${JSON.stringify(rules)}`, async () => {
      const single = sampleType({
        messageType: [{ name: "Sample", field: [field(1, "value", type, rules)] }],
      });
      assert.ok(compileMessage(single), "it needs no protovalidate");
      await assertAgreement(
        single,
        values.map((value) => ({ value })),
      );
    });
  }

  for (const rules of [{ const: 5 }, { definedOnly: true }, { in: [5, 6] }, { notIn: [0, 7] }]) {
    test(`enum ${JSON.stringify(rules)}`, async () => {
      const type = sampleType({
        enumType: [COLOUR],
        messageType: [
          {
            name: "Sample",
            field: [field(1, "value", "enum", { enum: rules }, { typeName: ".test.Colour" })],
          },
        ],
      });
      assert.ok(compileMessage(type), "it needs no protovalidate");
      await assertAgreement(type, [{ value: "BLUE" }, {}, { value: 7 }]);
    });
  }
});

test("the rules of a list's items hold for each of them, and name it", async () => {
  for (const [type, rules, ...values] of [...STRINGS, ...NUMBERS, ...BYTES]) {
    const list = sampleType({
      messageType: [
        { name: "Sample", field: [field(1, "value", type, { repeated: { items: rules } }, repeated)] },
      ],
    });
    await assertAgreement(list, [{ value: [] }, { value: [...values] }]);
  }
});
