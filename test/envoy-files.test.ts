import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { envoyFiles } from "../packages/dev/src/envoy/configuration.ts";
import { staleEnvoyFiles } from "../packages/dev/src/envoy/files.ts";
import { needsEdge } from "./support/edge.ts";
import { DEPLOYED, validate } from "./support/envoy.ts";

test(
  "Envoy takes the files that are deployed, and has nothing to say against them",
  needsEdge(),
  async () => {
    assert.deepEqual(await validate(DEPLOYED), { exitCode: 0, warnings: [] });
  },
);

test("a route to a cluster that is not there is found by Envoy itself", needsEdge(), async () => {
  using copy = copyWith((text) => text.replace("cluster: greeter", "cluster: gretter"));
  const { exitCode, warnings } = await validate(copy.path);
  assert.equal(exitCode, 1);
  assert.match(warnings.join("\n"), /unknown cluster 'gretter'/);
});

test("a field that Envoy does not know is found", needsEdge(), async () => {
  using copy = copyWith((text) => text.replace("num_retries:", "number_of_retries:"));
  const { exitCode, warnings } = await validate(copy.path);
  assert.equal(exitCode, 1);
  assert.match(warnings.join("\n"), /number_of_retries/);
});

test("files that are not what the contracts make of them are named", () => {
  assert.deepEqual(staleEnvoyFiles(), []);
  using copy = copyWith((text) =>
    text.replace("grpc_timeout_header_max: 11s", "grpc_timeout_header_max: 60s"),
  );
  assert.deepEqual(staleEnvoyFiles(copy.path), ["k8s/base/envoy/envoy.yaml"]);
  rmSync(join(copy.path, "descriptors.pb"));
  assert.deepEqual(staleEnvoyFiles(copy.path), [
    "k8s/base/envoy/envoy.yaml",
    "k8s/base/envoy/descriptors.pb",
  ]);
});

test("only methods that say so are repeated once a worker has begun with them", () => {
  const { static_resources } = parse(readFileSync(join(DEPLOYED, "envoy.yaml"), "utf8"));
  const [{ typed_config }] = static_resources.listeners[0].filter_chains[0].filters;
  const routes: Route[] = typed_config.route_config.virtual_hosts[0].routes;
  const conditions = new Map(routes.map(({ name, route }) => [name, route.retry_policy.retry_on.split(",")]));
  for (const method of ["greeter.v1.Greeter/SayHello", "math.v1.Math/Fibonacci"]) {
    assert.ok(conditions.get(method)?.includes("unavailable"), method);
    assert.ok(conditions.get(method)?.includes("reset"), method);
  }
  for (const method of ["greeter.v1.Greeter/BidiHello", "math.v1.Math/Accumulate"]) {
    const unseen = ["connect-failure", "refused-stream", "reset-before-request"];
    assert.deepEqual(conditions.get(method), unseen, method);
  }
});

test("a service that no worker serves is named", () => {
  const descriptors = readFileSync(join(DEPLOYED, "descriptors.pb"));
  assert.throws(
    () => envoyFiles(descriptors, [{ name: "greeter", port: 50051, protocol: "gRPC" }]),
    /No worker serves math\.v1\.Math/,
  );
});

interface Route {
  readonly name: string;
  readonly route: { readonly retry_policy: { readonly retry_on: string } };
}

/** A copy of what is deployed, with a change in Envoy's configuration. */
function copyWith(change: (text: string) => string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "gantry-envoy-files-"));
  cpSync(DEPLOYED, path, { recursive: true });
  const file = join(path, "envoy.yaml");
  const text = readFileSync(file, "utf8");
  const changed = change(text);
  assert.notEqual(changed, text);
  writeFileSync(file, changed);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
