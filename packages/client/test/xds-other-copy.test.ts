import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { createRequire, registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Code } from "@gantry/rpc";
import { createClient } from "../src/index.ts";
import { Kitchen } from "./support/worker.ts";

/** A copy of the installed `@grpc/grpc-js`, as where packages were installed apart, or one was bundled. */
async function copyOfGrpc() {
  const installed = dirname(createRequire(import.meta.url).resolve("@grpc/grpc-js/package.json"));
  const packages = join(installed, "../..");
  const directory = await mkdtemp(join(tmpdir(), "gantry-grpc-"));
  const copy = join(directory, "node_modules/@grpc/grpc-js");
  await mkdir(copy, { recursive: true });
  await cp(join(installed, "package.json"), join(copy, "package.json"));
  await cp(join(installed, "build"), join(copy, "build"), { recursive: true });
  for (const needed of ["@js-sdsl", "@grpc/proto-loader"]) {
    await symlink(join(packages, needed), join(directory, "node_modules", needed));
  }
  return {
    url: pathToFileURL(join(copy, "build/src/index.js")).href,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

test("where @grpc/grpc-js-xds extends another copy of @grpc/grpc-js, calls say so", async () => {
  await using copy = await copyOfGrpc();
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const isOfXds = specifier === "@grpc/grpc-js" && context.parentURL?.includes("/grpc-js-xds/");
      return isOfXds ? { ...found, url: copy.url } : found;
    },
  });
  try {
    process.env.GRPC_XDS_BOOTSTRAP_CONFIG = "{}";
    await using kitchen = createClient(Kitchen, "xds:///kitchen");
    await assert.rejects(kitchen.ping({}), {
      code: Code.FailedPrecondition,
      message:
        "The target xds:///kitchen cannot be used: @grpc/grpc-js-xds has registered with another copy of @grpc/grpc-js than this client's: expected both to be installed side by side, and neither to be bundled.",
    });
  } finally {
    hooks.deregister();
  }
});
