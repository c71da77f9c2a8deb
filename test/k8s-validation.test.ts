import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsKubectl, refusedOf, requireDefinitions } from "./support/kubernetes.ts";
import { PLANTED, planted, rendered, VARIANTS } from "./support/planted-manifests.ts";

const needsValidation = needsKubectl.skip === false ? requireDefinitions() : needsKubectl;

describe("validation as a cluster does it", { ...needsValidation, concurrency: 2 }, () => {
  for (const name of VARIANTS) {
    test(`takes ${name} as it is, pods within the restricted level`, async () => {
      assert.deepEqual(await refusedOf(await rendered(name)), []);
    });
  }

  for (const error of PLANTED) {
    test(`${error.what} is refused`, async () => {
      assert.match((await refusedOf(await planted(error))).join("\n"), error.said);
    });
  }
});
