import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Fields } from "../packages/dev/src/checks/manifests/fields.ts";
import { type ApiServer, optionalApiServer, startApiServer } from "./support/api-server.ts";
import { multiDocument } from "./support/kubernetes.ts";
import { K8S, PLANTED, planted, rendered, VARIANTS } from "./support/planted-manifests.ts";

/** Said of every headless Service, of which there is no other way to write one. */
const HEADLESS = "Warning: spec.SessionAffinity is ignored for headless services";

describe("a real API server", optionalApiServer(), () => {
  let server: ApiServer;

  /** What it says of manifests, by strict validation: errors and warnings. */
  async function saidOf(documents: readonly Fields[]): Promise<string[]> {
    const strictly = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
    const { stderr } = await server.kubectl(strictly, multiDocument(documents));
    return stderr.split("\n").filter((line) => line !== "" && line !== HEADLESS);
  }

  before(async () => {
    server = await startApiServer();
    // With its labels, so that pods are held to the restricted level.
    const namespace = await server.kubectl(["apply", "-f", join(K8S, "base/namespace.yaml")]);
    assert.equal(namespace.code, 0, namespace.stderr);
  });
  after(() => server[Symbol.asyncDispose]());

  for (const name of VARIANTS) {
    test(`takes ${name} as it is, pods within the restricted level`, async () => {
      assert.deepEqual(await saidOf(await rendered(name)), []);
    });
  }

  for (const overlay of VARIANTS.filter((name) => name.startsWith("overlays/"))) {
    test(`kubectl apply -k k8s/${overlay} --dry-run=client accepts it`, async () => {
      const { code, stderr } = await server.kubectl(["apply", "-k", join(K8S, overlay), "--dry-run=client"]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    });
  }

  for (const error of PLANTED) {
    test(`${error.what} is refused`, async () => {
      assert.match((await saidOf(await planted(error))).join("\n"), error.said);
    });
  }
});
