import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { compileMessage } from "../src/validate/message.ts";
import { BeyondNative } from "../src/validate/rule-table.ts";
import { prepareValidation } from "../src/validate/validation.ts";
import { field, type ProtoFile, repeated, sampleType } from "./support/message-types.ts";
import { assertAgreement } from "./support/protovalidate.ts";

const ODD: JsonObject = {
  name: "odd",
  number: 80_048_953,
  label: "LABEL_OPTIONAL",
  type: "TYPE_BOOL",
  extendee: ".buf.validate.Int32Rules",
  options: {
    "[buf.validate.predefined]": {
      cel: [{ id: "int32.odd", message: "must be odd", expression: "this % 2 == 1" }],
    },
  },
};

const one = (type: string, rules: JsonObject, more?: JsonObject): ProtoFile => ({
  messageType: [{ name: "Sample", field: [field(1, "value", type, rules, more)] }],
});

describe("a type with a rule that is not compiled here is checked by protovalidate, as a whole", () => {
  const files: Readonly<Record<string, readonly [file: ProtoFile, ...messages: JsonValue[]]>> = {
    "CEL on a field": [
      one("string", { cel: [{ id: "loud", message: "must be loud", expression: "this.endsWith('!')" }] }),
      { value: "a!" },
      { value: "a" },
    ],
    "CEL on a message": [
      {
        messageType: [
          {
            name: "Sample",
            field: [field(1, "from", "int32"), field(2, "to", "int32", { int32: { lt: 9 } })],
            options: {
              "[buf.validate.message]": { cel: [{ id: "order", expression: "this.from <= this.to" }] },
            },
          },
        ],
      },
      { from: 1, to: 2 },
      { from: 20, to: 10 },
    ],
    "a message that holds one of them": [
      {
        messageType: [
          {
            name: "Sample",
            field: [field(1, "inner", "test.Inner"), field(2, "name", "string", { string: { minLen: "1" } })],
          },
          { name: "Inner", field: [field(1, "value", "string", { string: { uri: true } })] },
        ],
      },
      { inner: { value: "https://a.example" }, name: "a" },
      { inner: { value: "a b" } },
    ],
    "a timestamp": [
      one("google.protobuf.Timestamp", { timestamp: { gt: "2000-01-01T00:00:00Z" } }),
      { value: "2001-01-01T00:00:00Z" },
      { value: "1999-01-01T00:00:00Z" },
    ],
    "a wrapped string": [
      one("google.protobuf.StringValue", { string: { minLen: "2" } }),
      { value: "ab" },
      { value: "" },
    ],
    "a pattern that RegExp could take exponential time for": [
      one("string", { string: { pattern: "^(a+)+$" } }),
      { value: "aaa" },
      { value: `${"a".repeat(5_000)}!` },
    ],
    "a predefined rule of the author's own": [
      {
        extension: [ODD],
        messageType: [
          { name: "Sample", field: [field(1, "value", "int32", { int32: { "[test.odd]": true } })] },
        ],
      },
      { value: 1 },
      { value: 2 },
    ],
  };
  for (const [name, [file, ...messages]] of Object.entries(files)) {
    test(name, async () => {
      const type = sampleType(file);
      assert.throws(() => compileMessage(type), BeyondNative);
      await assertAgreement(type, messages);
    });
  }
});

test("protovalidate's violations too are kept up to a hundred", async () => {
  const type = sampleType(one("string", { repeated: { items: { string: { uri: true } } } }, repeated));
  const validator = (await prepareValidation([type])).get(type);
  const found = validator?.(fromJson(type, { value: Array.from({ length: 150 }, () => "") }));
  assert.equal(found?.violations.length, 100);
  assert.equal(found?.total, 150);
});

test("rules that are wrong are found before the worker serves, by the type's name", async () => {
  const wrong = { type: "string rules on a number", file: one("int32", { string: { minLen: "1" } }) };
  await assert.rejects(
    prepareValidation([sampleType(wrong.file)]),
    /The validation rules of test\.Sample are wrong: /,
  );
  const unreadable = one("string", { cel: [{ id: "x", expression: "this +" }] });
  await assert.rejects(
    prepareValidation([sampleType(unreadable)]),
    /The validation rules of test\.Sample are wrong: /,
  );
});
