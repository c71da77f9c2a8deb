import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { status } from "@grpc/grpc-js";
import { service as health } from "grpc-health-check";
import { type CertificateFiles, certificateFiles, createAuthority } from "./support/certificates.ts";
import { connect } from "./support/plain-client.ts";
import { requireProgram } from "./support/programs.ts";
import { ROOT, startWorker, type WorkerProcess } from "./support/worker-process.ts";

const run = promisify(execFile);

const BUF = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");
const curl = requireProgram("curl", "apt-get install curl");
const grpcurl = requireProgram(
  "grpcurl",
  "go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3, and put Go's bin folder on the PATH",
);

/** A call of each method, in protobuf's JSON. */
const CALLS = [
  { method: "greeter.v1.Greeter/SayHello", requests: [{ name: "七米" }], replies: [{ reply: "Hello 七米" }] },
  {
    method: "greeter.v1.Greeter/LotsOfReplies",
    requests: [{ name: "七米" }],
    replies: [
      { reply: "你好七米" },
      { reply: "hello七米" },
      { reply: "こんにちは七米" },
      { reply: "안녕하세요七米" },
    ],
  },
  {
    method: "greeter.v1.Greeter/LotsOfGreetings",
    requests: [{ name: "七米" }, { name: "小王子" }],
    replies: [{ reply: "你好：七米小王子" }],
  },
  {
    method: "greeter.v1.Greeter/BidiHello",
    requests: [{ name: "你好吗？" }, { name: "在吧?" }],
    replies: [{ reply: "我好!" }, { reply: "在!" }],
  },
  { method: "math.v1.Math/Sum", requests: [{ vals: [1, 2, 3] }], replies: [{ val: 6 }] },
  { method: "math.v1.Math/Version", requests: [{}], replies: [{ val: "0.1.0" }] },
  {
    method: "math.v1.Math/Divide",
    requests: [{ dividend: "-9223372036854775807", divisor: "2" }],
    replies: [{ quotient: "-4611686018427387903", remainder: "-1" }],
  },
  {
    method: "math.v1.Math/Fibonacci",
    requests: [{ limit: 4 }],
    replies: [{}, { val: "1" }, { val: "1" }, { val: "2" }],
  },
  {
    method: "math.v1.Math/Accumulate",
    requests: [{ val: 1 }, { val: 2.5 }],
    replies: [{ count: "2", sum: 3.5, minimum: 1, maximum: 2.5, mean: 1.75 }],
  },
  {
    method: "math.v1.Math/RunningSum",
    requests: [{ val: "1" }, { val: "2" }, { val: "-5" }],
    replies: [{ val: "1" }, { val: "3" }, { val: "-2" }],
  },
];

describe("published tools, which know the workers by reflection alone", () => {
  let greeter: WorkerProcess;
  let math: WorkerProcess;
  const addressOf = (method: string) => (method.startsWith("greeter.") ? greeter : math).address;

  before(async () => {
    [greeter, math] = await Promise.all([startWorker("greeter"), startWorker("math")]);
  });
  after(async () => {
    await Promise.all([greeter, math].map((worker) => worker[Symbol.asyncDispose]()));
  });

  for (const { method, requests, replies } of CALLS) {
    const sent = requests.map((request) => JSON.stringify(request)).join("\n");

    test(`buf curl calls ${method}`, async () => {
      const url = `http://${addressOf(method)}/${method}`;
      const options = ["--protocol", "grpc", "--http2-prior-knowledge", "--data", sent];
      const { stdout } = await run(process.execPath, [BUF, "curl", ...options, url]);
      assert.deepEqual(messagesIn(stdout), replies);
    });

    test(`grpcurl calls ${method}`, grpcurl, async () => {
      const { stdout } = await run("grpcurl", ["-plaintext", "-d", sent, addressOf(method), method]);
      assert.deepEqual(messagesIn(stdout), replies);
    });
  }

  test("grpcurl lists the services, and describes a method with its policy", grpcurl, async () => {
    const { stdout: services } = await run("grpcurl", ["-plaintext", math.address, "list"]);
    assert.deepEqual(services.trim().split("\n"), [
      "gantry.v1.Admin",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "math.v1.Math",
    ]);
    const described = await run("grpcurl", [
      "-plaintext",
      greeter.address,
      "describe",
      "greeter.v1.Greeter.SayHello",
    ]);
    assert.match(described.stdout, /rpc SayHello \( \.greeter\.v1\.HelloRequest \) returns/);
    assert.match(described.stdout, /option \(\.gantry\.v1\.policy\) = \{[^;]*id: "greetings-per-name"/);
    assert.match(described.stdout, /option \(\.google\.api\.http\) = \{ get: "\/api\/v1\/greeter\/\{name\}"/);
    assert.match(described.stdout, /option idempotency_level = NO_SIDE_EFFECTS;/);
  });

  test("grpcurl asks for health by Check", grpcurl, async () => {
    const request = ["-d", '{"service":"math.v1.Math"}', math.address, "grpc.health.v1.Health/Check"];
    const { stdout } = await run("grpcurl", ["-plaintext", ...request]);
    assert.deepEqual(messagesIn(stdout), [{ status: "SERVING" }]);
  });
});

test("grpcurl follows health by Watch, up to the drain", grpcurl, async () => {
  await using worker = await startWorker("greeter");
  const watch = spawn("grpcurl", ["-plaintext", worker.address, "grpc.health.v1.Health/Watch"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(watch, "exit");
  const statuses: string[] = [];
  for await (const line of createInterface(watch.stdout)) {
    const [, told] = /"status": "(\w+)"/.exec(line) ?? [];
    if (told === undefined) continue;
    statuses.push(told);
    if (told === "SERVING") worker.signal("SIGTERM");
  }
  assert.deepEqual(statuses, ["SERVING", "NOT_SERVING"]);
  const [code] = await exited;
  // grpcurl exits with 64 and the status it was given.
  assert.equal(code, 64 + status.UNAVAILABLE);
});

test("a client made from the package grpc-health-check asks by Check, List and Watch", async () => {
  await using worker = await startWorker("math");
  using client = connect(worker.address, health);
  assert.deepEqual((await client.call("Check", { service: "" })).replies, [{ status: "SERVING" }]);
  assert.equal((await client.call("Check", { service: "acme.v1.Unknown" })).code, status.NOT_FOUND);
  const [list] = (await client.call("List", {})).replies;
  assert.deepEqual(list, { statuses: { "": { status: "SERVING" }, "math.v1.Math": { status: "SERVING" } } });

  const watch = client.open("Watch");
  watch.send({ service: "math.v1.Math" });
  watch.end();
  assert.deepEqual(await watch.next(), { status: "SERVING" });
  worker.signal("SIGTERM");
  assert.deepEqual(await watch.next(), { status: "NOT_SERVING" });
  assert.equal(await watch.next(), undefined);
  assert.equal((await watch.answer).code, status.UNAVAILABLE);
});

/** Messages as the tools print them: one JSON object after the other. */
function messagesIn(output: string): unknown[] {
  return JSON.parse(`[${output.trim().replaceAll(/\}\n\{/g, "},{")}]`);
}

describe("the same tools over mutual TLS", () => {
  const workers = new Map<string, WorkerProcess>();
  let files: CertificateFiles;

  before(async () => {
    const authority = await createAuthority();
    const server = await authority.issue({ names: ["IP:127.0.0.1"] });
    const client = await authority.issue({ names: ["DNS:client"], usages: ["client"] });
    files = await certificateFiles({
      "ca.crt": authority.certificate,
      "server.crt": server.cert,
      "server.key": server.key,
      "client.crt": client.cert,
      "client.key": client.key,
    });
    for (const alpn of ["http/1.1", "h2"]) {
      const worker = await startWorker("greeter", {
        TLS_CERT: files.path("server.crt"),
        TLS_KEY: files.path("server.key"),
        TLS_CLIENT_CA: files.path("ca.crt"),
        TLS_ALPN: alpn,
      });
      workers.set(alpn, worker);
    }
  });
  after(async () => {
    await Promise.all([...workers.values(), files].map((each) => each[Symbol.asyncDispose]()));
  });
  const address = (alpn: string) => workers.get(alpn)?.address ?? "";
  const credentials = (dashes: string) =>
    ["cacert", "cert", "key"].flatMap((name, at) => {
      const file = ["ca.crt", "client.crt", "client.key"][at] ?? "";
      return [`${dashes}${name}`, files.path(file)];
    });
  const bufCurl = async (alpn: string, ...options: string[]) => {
    const url = `https://${address(alpn)}/greeter.v1.Greeter/SayHello`;
    const call = ["curl", ...options, ...credentials("--"), "--data", '{"name":"七米"}', url];
    return messagesIn((await run(process.execPath, [BUF, ...call], { cwd: ROOT })).stdout);
  };
  const greeted = [{ reply: "Hello 七米" }];

  for (const alpn of ["http/1.1", "h2"]) {
    test(`grpcurl, which offers h2 alone, calls where TLS_ALPN is ${alpn}`, grpcurl, async () => {
      const call = ["-d", '{"name":"七米"}', address(alpn), "greeter.v1.Greeter/SayHello"];
      const { stdout } = await run("grpcurl", [...credentials("-"), ...call]);
      assert.deepEqual(messagesIn(stdout), greeted);
    });

    test(`curl that offers http/1.1 alone gets REST where TLS_ALPN is ${alpn}`, curl, async () => {
      const url = `https://${address(alpn)}/api/v1/greeter/you`;
      const { stdout } = await run("curl", ["-sS", "--http1.1", "--noproxy", "*", ...credentials("--"), url]);
      assert.equal(stdout, '{"reply":"Hello you"}');
    });
  }

  test("buf curl, which offers both, calls by Connect and gRPC-Web by default", async () => {
    for (const protocol of ["connect", "grpcweb"]) {
      assert.deepEqual(await bufCurl("http/1.1", "--protocol", protocol, "--schema", "proto"), greeted);
    }
  });

  test("curl, which offers both, gets REST by default", curl, async () => {
    const url = `https://${address("http/1.1")}/api/v1/greeter/you`;
    const { stdout } = await run("curl", ["-sS", "--noproxy", "*", ...credentials("--"), url]);
    assert.equal(stdout, '{"reply":"Hello you"}');
  });

  test("buf curl, which offers both, calls by gRPC where TLS_ALPN is h2", async () => {
    assert.deepEqual(await bufCurl("h2", "--protocol", "grpc"), greeted);
  });
});
