import assert from "node:assert/strict";
import { test } from "node:test";
import { loadedModules } from "../../../test/support/loaded-modules.ts";
import { prepareValidation } from "../src/validate/validation.ts";
import { field, sampleType } from "./support/message-types.ts";

const PROTOVALIDATE = "/@bufbuild/protovalidate/";

test("protovalidate is loaded when the first type needs it, not before", async () => {
  using loaded = loadedModules();
  const typeWith = (rules: { string: { minLen?: string; uri?: boolean } }) =>
    sampleType({ messageType: [{ name: "Sample", field: [field(1, "value", "string", rules)] }] });
  await prepareValidation([typeWith({ string: { minLen: "1" } })]);
  assert.equal(loaded.has(PROTOVALIDATE), false);
  await prepareValidation([typeWith({ string: { uri: true } })]);
  assert.equal(loaded.has(PROTOVALIDATE), true);
});
