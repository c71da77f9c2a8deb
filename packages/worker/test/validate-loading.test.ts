import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { test } from "node:test";
import { prepareValidation } from "../src/validate/validation.ts";
import { field, sampleType } from "./support/message-types.ts";

test("protovalidate is loaded when the first type needs it, not before", async () => {
  const loaded: string[] = [];
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      loaded.push(url);
      return nextLoad(url, context);
    },
  });
  const hasProtovalidate = () => loaded.some((url) => url.includes("/@bufbuild/protovalidate/"));
  const typeWith = (rules: { string: { minLen?: string; uri?: boolean } }) =>
    sampleType({ messageType: [{ name: "Sample", field: [field(1, "value", "string", rules)] }] });
  try {
    await prepareValidation([typeWith({ string: { minLen: "1" } })]);
    assert.equal(hasProtovalidate(), false);
    await prepareValidation([typeWith({ string: { uri: true } })]);
    assert.equal(hasProtovalidate(), true);
  } finally {
    hooks.deregister();
  }
});
