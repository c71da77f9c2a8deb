import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@gantry/rpc";
import { loadedModules } from "../../../test/support/loaded-modules.ts";
import { temporaryFile } from "../../worker/test/support/temporary-file.ts";
import { createClient, retry } from "../src/index.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

/** A process has one xDS bootstrap; in this one there is never any that can be used. */
const { env } = process;

test("@grpc/grpc-js-xds is loaded by the first call to an xds target", async () => {
  using loaded = loadedModules();
  await using worker = await kitchenWorker();
  await using kitchen = createClient(Kitchen, worker.target);
  await kitchen.ping({});
  await using discovered = createClient(Kitchen, "xds:///kitchen");
  assert.equal(loaded.has("/grpc-js-xds/"), false);
  await assert.rejects(discovered.ping({}));
  assert.equal(loaded.has("/grpc-js-xds/"), true);
});

test("without a bootstrap, every call and ready() say which settings are missing", async () => {
  await using kitchen = createClient(Kitchen, "xds:///kitchen", { interceptors: [retry()] });
  const missing = {
    name: "RpcError",
    code: Code.FailedPrecondition,
    message:
      "The target xds:///kitchen cannot be used: there is no xDS bootstrap: expected GRPC_XDS_BOOTSTRAP to name its file, or GRPC_XDS_BOOTSTRAP_CONFIG to hold its JSON.",
  };
  await Promise.all([
    assert.rejects(kitchen.ready(), missing),
    assert.rejects(kitchen.ping({}), missing),
    assert.rejects(kitchen.cook({}), missing),
  ]);
  await assert.rejects(kitchen.ping({}), missing);
  await assert.rejects(kitchen.ready(), missing);
});

test("a bootstrap that cannot be read is named", async (t) => {
  t.after(() => delete env.GRPC_XDS_BOOTSTRAP);
  env.GRPC_XDS_BOOTSTRAP = "/nowhere/bootstrap.json";
  await using kitchen = createClient(Kitchen, "xds:///kitchen");
  await assert.rejects(kitchen.ping({}), {
    code: Code.FailedPrecondition,
    message:
      /^The target xds:\/\/\/kitchen cannot be used: Failed to read xDS bootstrap file from path \/nowhere\/bootstrap\.json .*ENOENT/,
  });
  await using file = await temporaryFile("bootstrap.json", "{}");
  env.GRPC_XDS_BOOTSTRAP = file.path;
  await using other = createClient(Kitchen, "xds:///kitchen");
  await assert.rejects(other.ready(), {
    code: Code.FailedPrecondition,
    message: /Failed to parse xDS bootstrap file at path .*bootstrap\.json/,
  });
});
