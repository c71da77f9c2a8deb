import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Code } from "@gantry/rpc";
import { createClient } from "../src/index.ts";
import { Kitchen } from "./support/worker.ts";

test("where @grpc/grpc-js-xds is not installed, calls and ready() say how it is", async () => {
  // Looked for where no packages are.
  const parentURL = pathToFileURL(join(tmpdir(), "none.js")).href;
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, specifier === "@grpc/grpc-js-xds" ? { ...context, parentURL } : context),
  });
  try {
    await using kitchen = createClient(Kitchen, "xds:///kitchen");
    const missing = {
      code: Code.FailedPrecondition,
      message:
        'The target xds:///kitchen cannot be used: it needs the package @grpc/grpc-js-xds, which is not installed: expected "npm install @grpc/grpc-js-xds".',
    };
    await assert.rejects(kitchen.ping({}), missing);
    await assert.rejects(kitchen.ready(), missing);
  } finally {
    hooks.deregister();
  }
});
