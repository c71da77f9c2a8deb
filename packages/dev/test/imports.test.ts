import assert from "node:assert/strict";
import { test } from "node:test";
import { findViolations, readPackages, readSources } from "../src/checks/imports.ts";

const packages = new Map([
  ["@gantry/proto", "proto"],
  ["@gantry/rpc", "packages/rpc"],
  ["@gantry/worker", "packages/worker"],
  ["@gantry/client", "packages/client"],
  ["@gantry/greeter", "services/greeter"],
]);

/** The complaints about one file, without its name. */
function complaints(path: string, text: string): string[] {
  return findViolations([{ path, text }], packages).map((sentence) => {
    assert.ok(sentence.startsWith(`${path}:`), sentence);
    return sentence.slice(path.length + 1);
  });
}

test("rpc imports nothing of ours but the generated protobuf code", () => {
  const path = "packages/rpc/src/code.ts";
  assert.deepEqual(
    complaints(path, 'import { CodeSchema } from "@gantry/proto/google/rpc/code_pb.js";\n'),
    [],
  );
  assert.deepEqual(complaints(path, '\nimport type { Call } from "@gantry/worker";\n'), [
    "2 imports @gantry/worker: of ours, packages/rpc may import proto.",
  ]);
});

test("worker and client do not import each other, not even by a relative path", () => {
  assert.equal(
    complaints("packages/worker/src/call.ts", 'import { call } from "@gantry/client";\n').length,
    1,
  );
  assert.equal(
    complaints("packages/client/src/call.ts", 'export * from "@gantry/worker/testing";\n').length,
    1,
  );
  const relative = 'import {\n  one,\n  two,\n} from "../../worker/src/call.ts";\n';
  assert.equal(complaints("packages/client/src/call.ts", relative).length, 1);
  assert.deepEqual(
    complaints("services/gateway/src/main.ts", 'import "@gantry/client";\nimport "@gantry/worker";\n'),
    [],
  );
});

test("a worker loads the client kit for discovery alone, and only when it is needed", () => {
  const folder = "packages/worker/src/discovery";
  const load = 'const { register } = await import("@gantry/client/etcd");\n';
  assert.deepEqual(complaints(`${folder}/discovery.ts`, load), []);
  assert.equal(complaints("packages/worker/src/worker.ts", load).length, 1);
  assert.equal(
    complaints(`${folder}/discovery.ts`, 'import { register } from "@gantry/client/etcd";\n').length,
    1,
  );
  assert.equal(complaints(`${folder}/discovery.ts`, 'await import("@gantry/client");\n').length, 1);
});

test("nothing imports a service, but its own files do", () => {
  const text = 'const { greeter } = await import("../../greeter/src/greeter.ts");\n';
  assert.deepEqual(complaints("services/math/src/main.ts", text), [
    "1 imports ../../greeter/src/greeter.ts: nothing imports a service.",
  ]);
  assert.equal(complaints("packages/worker/test/call.test.ts", 'import "@gantry/greeter";\n').length, 1);
  assert.deepEqual(complaints("services/greeter/test/greeter.test.ts", 'import "../src/greeter.ts";\n'), []);
});

test("only the transports know the gRPC library; tests are clients and may", () => {
  const text = 'import { Server } from "@grpc/grpc-js";\n';
  assert.equal(complaints("packages/worker/src/worker.ts", text).length, 1);
  assert.equal(complaints("services/greeter/src/greeter.ts", text).length, 1);
  assert.equal(
    complaints("packages/rpc/src/code.ts", 'import type { status } from "@grpc/grpc-js/build/src/x";\n')
      .length,
    1,
  );
  assert.equal(complaints("packages/client/src/client.ts", text).length, 1);
  assert.deepEqual(complaints("packages/worker/src/transport/grpc-js/server.ts", text), []);
  assert.deepEqual(complaints("packages/client/src/transport/grpc-js/channel.ts", text), []);
  assert.deepEqual(complaints("packages/worker/test/server.test.ts", text), []);
});

test("an import in an example within a comment is none", () => {
  const text = '/**\n * import { Server } from "@grpc/grpc-js";\n */\nexport const one = 1;\n';
  assert.deepEqual(complaints("packages/worker/src/worker.ts", text), []);
});

test("the rules hold for the packages that there are", () => {
  assert.equal(readPackages().get("@gantry/worker"), "packages/worker");
  assert.ok(readSources().some(({ path }) => path === "packages/rpc/src/index.ts"));
  assert.deepEqual(findViolations(readSources(), readPackages()), []);
});
