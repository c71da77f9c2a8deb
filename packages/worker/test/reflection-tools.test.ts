import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import { promisify } from "node:util";
import { optionalProgram } from "../../../test/support/programs.ts";
import { greeterWorker } from "./support/greeter.ts";

const run = promisify(execFile);
const GREETERS = ["greeter.v1.Greeter", "Greeter", "pb.Greeter"];
const SERVICES = [
  "Greeter",
  "gantry.v1.Admin",
  "greeter.v1.Greeter",
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
  "pb.Greeter",
];

const BUF = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");
const bufCurl = (...args: string[]) =>
  run(process.execPath, [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", ...args]);

for (const version of ["grpc-v1", "grpc-v1alpha"]) {
  test(`buf curl lists and calls services by reflection ${version}, aliases included`, async () => {
    await using worker = await greeterWorker();
    const address = `http://127.0.0.1:${worker.port}`;
    const reflect = ["--reflect-protocol", version];
    const { stdout: services } = await bufCurl(...reflect, "--list-services", address);
    assert.deepEqual(services.trim().split("\n").toSorted(), SERVICES);
    for (const service of GREETERS) {
      const { stdout } = await bufCurl(
        ...reflect,
        "--data",
        '{"name":"七米"}',
        `${address}/${service}/SayHello`,
      );
      assert.deepEqual(JSON.parse(stdout), { reply: "Hello 七米" }, service);
    }
  });
}

test(
  "grpcurl lists, describes and calls services by reflection, aliases included",
  optionalProgram("grpcurl", "go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest"),
  async () => {
    await using worker = await greeterWorker();
    const grpcurl = async (...args: string[]) => (await run("grpcurl", ["-plaintext", ...args])).stdout;
    const address = `127.0.0.1:${worker.port}`;
    assert.deepEqual((await grpcurl(address, "list")).trim().split("\n").toSorted(), SERVICES);
    for (const service of GREETERS) {
      const description = await grpcurl(address, "describe", service);
      assert.match(description, /rpc SayHello \( \.greeter\.v1\.HelloRequest \) returns/);
      assert.match(description, /id: "greetings-per-name"/, "custom options are shown");
      const reply = await grpcurl("-d", '{"name":"七米"}', address, `${service}/SayHello`);
      assert.deepEqual(JSON.parse(reply), { reply: "Hello 七米" }, service);
    }
  },
);
