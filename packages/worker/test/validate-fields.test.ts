import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { compileMessage } from "../src/validate/message.ts";
import { prepareValidation } from "../src/validate/validation.ts";
import { field, repeated, sampleType } from "./support/message-types.ts";
import { assertAgreement } from "./support/protovalidate.ts";

const MIN_2: JsonObject = { string: { minLen: "2" } };

/** The type `Sample` with these fields; it must need no protovalidate. */
function native(fields: JsonObject[], more: { types?: JsonObject[]; sample?: JsonObject } = {}) {
  const type = sampleType({
    messageType: [{ name: "Sample", field: fields, ...more.sample }, ...(more.types ?? [])],
  });
  assert.ok(compileMessage(type), "it needs no protovalidate");
  return type;
}

/** A map field `name` from strings or numbers to `value`, and the entry type that protobuf has for it. */
function map(key: string, value: JsonObject, rules: JsonObject) {
  const entry = {
    name: "LabelsEntry",
    options: { mapEntry: true },
    field: [field(1, "key", key), value],
  };
  return {
    field: field(1, "labels", "test.Sample.LabelsEntry", rules, repeated),
    sample: { nestedType: [entry] },
  };
}

describe("presence", () => {
  test("a field without presence is checked even if nobody set it", async () => {
    await assertAgreement(native([field(1, "value", "string", MIN_2)]), [
      { value: "ab" },
      {},
      { value: "a" },
    ]);
  });

  test("a field with presence is checked only if it is set", async () => {
    const optional = { proto3Optional: true, oneofIndex: 0 };
    const type = native([field(1, "value", "string", MIN_2, optional)], {
      sample: { oneofDecl: [{ name: "_value" }] },
    });
    await assertAgreement(type, [{}, { value: "ab" }, { value: "" }]);
  });

  test("a required field has to be set, and what is missing breaks no other rule", async () => {
    const type = native(
      [
        field(1, "value", "string", { required: true, ...MIN_2 }),
        field(2, "other", "test.Other", { required: true }),
        field(3, "others", "test.Other", { required: true }, repeated),
        field(4, "count", "int32", { required: true }),
      ],
      { types: [{ name: "Other" }] },
    );
    await assertAgreement(type, [
      { value: "ab", other: {}, others: [{}], count: 1 },
      {},
      { value: "a", other: {} },
    ]);
  });

  test("`ignore` takes zero values out, or all of them", async () => {
    const type = native([
      field(1, "zero", "string", { ignore: "IGNORE_IF_ZERO_VALUE", ...MIN_2 }),
      field(2, "always", "string", { ignore: "IGNORE_ALWAYS", required: true, ...MIN_2 }),
      field(3, "list", "string", { ignore: "IGNORE_IF_ZERO_VALUE", repeated: { minItems: "2" } }, repeated),
      field(
        4,
        "items",
        "string",
        { repeated: { items: { ignore: "IGNORE_IF_ZERO_VALUE", ...MIN_2 } } },
        repeated,
      ),
      field(5, "none", "string", { repeated: { items: { ignore: "IGNORE_ALWAYS", ...MIN_2 } } }, repeated),
    ]);
    await assertAgreement(type, [
      {},
      { always: "a", items: ["", "ab"], none: ["a"] },
      { zero: "a", list: ["a"], items: ["", "a"] },
    ]);
  });

  test("a oneof that is required has to have one of its fields set", async () => {
    const type = native(
      [
        field(1, "name", "string", MIN_2, { oneofIndex: 0 }),
        field(2, "id", "int32", undefined, { oneofIndex: 0 }),
      ],
      {
        sample: { oneofDecl: [{ name: "who", options: { "[buf.validate.oneof]": { required: true } } }] },
      },
    );
    await assertAgreement(type, [{ id: 0 }, { name: "ab" }, {}, { name: "a" }]);
  });
});

describe("lists and maps", () => {
  test("a list has a least and a greatest number of items", async () => {
    const type = native([
      field(1, "tags", "string", { repeated: { minItems: "1", maxItems: "2" } }, repeated),
    ]);
    await assertAgreement(type, [{ tags: ["a"] }, {}, { tags: ["a", "b", "c"] }]);
  });

  test("items that have to be unique are compared by value", async () => {
    const type = native([
      field(1, "tags", "string", { repeated: { unique: true } }, repeated),
      field(2, "blobs", "bytes", { repeated: { unique: true } }, repeated),
      field(3, "numbers", "double", { repeated: { unique: true } }, repeated),
    ]);
    await assertAgreement(type, [
      { tags: ["a", "b"], blobs: ["AQ==", "Ag=="], numbers: [1, "NaN", "NaN"] },
      { tags: ["a", "b", "a"] },
      { blobs: ["AQ==", "AQ=="] },
      { numbers: [0, "-0"] },
    ]);
  });

  test("a map has a least and a greatest number of entries, and rules for keys and for values", async () => {
    const { field: labels, sample } = map("string", field(2, "value", "string"), {
      map: { minPairs: "1", maxPairs: "2", keys: MIN_2, values: { string: { maxLen: "3" } } },
    });
    await assertAgreement(native([labels], { sample }), [
      { labels: { ab: "x" } },
      {},
      { labels: { a: "long", bc: "long", d: "" } },
      { labels: { 'a"\\\n': "long" } },
    ]);
  });

  test("keys that are no strings are checked as what they are", async () => {
    const byType: readonly [key: string, rules: JsonObject, valid: string, wrong: string][] = [
      ["int32", { int32: { gt: 0 } }, "1", "-1"],
      ["uint64", { uint64: { gt: "9007199254740992" } }, "9007199254740993", "9007199254740992"],
      ["bool", { bool: { const: true } }, "true", "false"],
    ];
    for (const [key, keys, valid, wrong] of byType) {
      const { field: labels, sample } = map(key, field(2, "value", "string"), { map: { keys } });
      await assertAgreement(native([labels], { sample }), [
        { labels: { [valid]: "" } },
        { labels: { [wrong]: "" } },
      ]);
    }
  });

  test("a key that is a whole text long is cut where a violation names it", async () => {
    const { field: labels, sample } = map("string", field(2, "value", "string"), { map: { values: MIN_2 } });
    const type = native([labels], { sample });
    const validator = (await prepareValidation([type])).get(type);
    const found = validator?.(fromJson(type, { labels: { ["k".repeat(1_000_000)]: "a" } }));
    assert.equal(found?.violations[0]?.field, `labels["${"k".repeat(99)}…"]`);
  });
});

test("`ignore` takes zero keys and values out of a map, whatever it maps to", async () => {
  const keys = { ignore: "IGNORE_IF_ZERO_VALUE", ...MIN_2 };
  const values = { ignore: "IGNORE_IF_ZERO_VALUE", string: { minLen: "3" } };
  const texts = map("string", field(2, "value", "string"), { map: { keys, values } });
  await assertAgreement(native([texts.field], { sample: texts.sample }), [
    { labels: { "": "", ab: "abc" } },
    { labels: { a: "", bc: "de" } },
  ]);
  const messages = map("string", field(2, "value", "test.Person"), { map: { keys } });
  const person = { name: "Person", field: [field(1, "name", "string", MIN_2)] };
  await assertAgreement(native([messages.field], { sample: messages.sample, types: [person] }), [
    { labels: { "": { name: "ab" } } },
    { labels: { "": {}, a: { name: "ab" } } },
  ]);
});

describe("messages within messages", () => {
  const person = { name: "Person", field: [field(1, "name", "string", MIN_2)] };

  test("are checked where they are set, and named by their path", async () => {
    const { field: labels, sample } = map("string", field(2, "value", "test.Person"), {});
    const type = native(
      [labels, field(2, "owner", "test.Person"), field(3, "members", "test.Person", undefined, repeated)],
      {
        types: [person],
        sample,
      },
    );
    await assertAgreement(type, [
      {},
      { owner: { name: "ab" }, members: [{ name: "ab" }] },
      { owner: {}, members: [{ name: "ab" }, {}], labels: { x: {} } },
    ]);
  });

  test("that hold themselves are checked all the way down", async () => {
    const type = native([
      field(1, "name", "string", MIN_2),
      field(2, "children", "test.Sample", undefined, repeated),
    ]);
    await assertAgreement(type, [
      { name: "ab", children: [{ name: "cd", children: [] }] },
      { name: "ab", children: [{ name: "cd", children: [{ name: "e" }, { children: [{}] }] }] },
    ]);
  });
});

test("a type without rules has no validator, even if it holds itself", async () => {
  const type = sampleType({
    messageType: [{ name: "Sample", field: [field(1, "name", "string"), field(2, "next", "test.Sample")] }],
  });
  assert.equal((await prepareValidation([type])).size, 0);
});

test("only the first hundred violations are kept, and all are counted", async () => {
  const type = native([field(1, "tags", "string", { repeated: { items: MIN_2 } }, repeated)]);
  const validator = (await prepareValidation([type])).get(type);
  const found = validator?.(create(type, { tags: Array.from({ length: 1_000 }, () => "a") }));
  assert.equal(found?.violations.length, 100);
  assert.equal(found?.total, 1_000);
});
