import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../bootstrap.mjs";
import { bundleWorker } from "../src/bundle/bundle-worker.ts";
import { type Bom, billOfMaterials } from "../src/image/sbom.ts";

const directory = mkdtempSync(join(tmpdir(), "gantry-sbom-"));
after(() => rmSync(directory, { recursive: true }));
let bill: Bom;
before(async () => {
  bill = await billOf("greeter");
});

async function billOf(service: string): Promise<Bom> {
  const { metafile } = await bundleWorker(service, join(directory, service));
  return billOfMaterials(`services/${service}`, metafile);
}

test("a package of the bundle is there with the version, the hash and the address that are locked", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const { version, integrity } = lock.packages["node_modules/@grpc/grpc-js"];
  const found = bill.components.find(({ name }) => name === "@grpc/grpc-js");
  assert.equal(found?.version, version);
  assert.equal(found?.purl, `pkg:npm/%40grpc/grpc-js@${version}`);
  assert.deepEqual(found?.licenses, [{ expression: "Apache-2.0" }]);
  const content = Buffer.from(integrity.replace("sha512-", ""), "base64").toString("hex");
  assert.deepEqual(found?.hashes, [{ alg: "SHA-512", content }]);
});

test("what is imported late is there too, and what only builds and tests need is not", () => {
  const names = bill.components.map(({ name }) => name);
  for (const name of ["ioredis", "prom-client", "@opentelemetry/sdk-node", "@gantry/worker"])
    assert.ok(names.includes(name), name);
  for (const name of ["esbuild", "typescript", "grpc-health-check", "@gantry/dev", "@gantry/math"])
    assert.ok(!names.includes(name), name);
});

test("it says which part needs which, and each part once", () => {
  const refs = bill.components.map((component) => component["bom-ref"]);
  assert.equal(new Set(refs).size, refs.length);
  const worker = bill.dependencies.find(({ ref }) => ref === "packages/worker");
  assert.ok(worker?.dependsOn.includes("node_modules/@grpc/grpc-js"));
  const known = [...refs, bill.metadata.component["bom-ref"]];
  for (const { ref, dependsOn } of bill.dependencies)
    for (const each of [ref, ...dependsOn]) assert.ok(known.includes(each), each);
});

test("the same bundle has the same bill", async () => {
  assert.deepEqual(await billOf("greeter"), bill);
});
