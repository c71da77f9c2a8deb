import assert from "node:assert/strict";
import { createRegistry, type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import { prepareValidation } from "../../src/validate/validation.ts";

/**
 * Holds our validator and protovalidate itself to the same messages: same fields, same words, same
 * rule ids, same order. Some of the messages have to be valid, and some not.
 */
export async function assertAgreement(type: DescMessage, messages: readonly JsonValue[]): Promise<void> {
  const validator = (await prepareValidation([type])).get(type);
  assert.ok(validator, `${type.typeName} has rules, so it has a validator`);
  const protovalidate = createValidator({ registry: createRegistry(type.file, ...type.file.dependencies) });
  const totals = messages.map((json) => {
    const message = fromJson(type, json);
    const found = validator(message);
    const result = protovalidate.validate(type, message);
    assert.notEqual(result.kind, "error", String(result.error));
    const expected = (result.violations ?? []).map((violation) => ({
      field: pathToString(violation.field),
      description: violation.message,
      reason: violation.ruleId,
    }));
    assert.deepEqual(found?.violations ?? [], expected, JSON.stringify(json));
    return found?.total ?? 0;
  });
  assert.ok(totals.includes(0), "one of the messages is valid");
  assert.ok(
    totals.some((total) => total > 0),
    "one of the messages is not",
  );
}
