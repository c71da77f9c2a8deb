import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { requireProgram } from "./support/programs.ts";
import { ROOT, type Settings, startWorker } from "./support/worker-process.ts";

const execute = promisify(execFile);
const RUN = join(ROOT, "packages/dev/run.mjs");
const openssl = requireProgram("openssl", "apt-get install openssl");
const folder = mkdtempSync(join(tmpdir(), "gantry-health-"));
after(() => rmSync(folder, { recursive: true }));

/** Runs `gantry health` where these files are, and resolves with what it printed. */
async function health(args: readonly string[], settings: Settings = {}): Promise<string> {
  const env = { PATH: process.env.PATH, ...settings };
  const { stdout } = await execute(process.execPath, [RUN, "health", ...args], { cwd: folder, env });
  return stdout.trim();
}

const fails = (args: readonly string[], sentence: RegExp, settings?: Settings) =>
  assert.rejects(health(args, settings), { code: 1, stdout: "", stderr: sentence });

test("a worker that serves is SERVING: as a whole, and each of its services", async () => {
  await using worker = await startWorker("greeter");
  assert.equal(await health([worker.address]), `${worker.address} is SERVING.`);
  const service = await health([worker.address, "greeter.v1.Greeter"]);
  assert.equal(service, `greeter.v1.Greeter at ${worker.address} is SERVING.`);
});

test("without an address it asks the worker of the same environment", async () => {
  await using worker = await startWorker("greeter");
  const PORT = worker.address.replace(/.*:/, "");
  assert.equal(await health([], { PORT }), `${worker.address} is SERVING.`);
  assert.equal(await health([], { PORT, HOST: "0.0.0.0" }), `${worker.address} is SERVING.`);
  await fails([], /^Nobody listens at 127\.0\.0\.1:1: /, { PORT: "1" });
});

test("a service that is not SERVING, or is not known, is an exit code of 1 and a sentence", async () => {
  await using server = await healthServer({ "": "SERVING", "a.B": "NOT_SERVING" });
  await fails([server.target, "a.B"], /^a\.B at 127\.0\.0\.1:\d+ is NOT_SERVING\.$/m);
  await fails([server.target, "a.C"], /^127\.0\.0\.1:\d+ knows no service "a\.C"\.$/m);
});

test("servers that tell no health are told apart", async () => {
  await using bare = await grpcServer(new GrpcServer());
  await fails([bare.target], /speaks gRPC, but tells nobody its health \(grpc\.health\.v1\)/);

  await using web = await listening(createServer((_, response) => response.end("hello")));
  await fails([web.target], /answered like a web server, with HTTP status 200/);

  await using silent = await listening(createTcpServer());
  await fails([silent.target], /did not answer within 5000 ms/);

  await fails(["nowhere.invalid:1"], /The host of nowhere\.invalid:1 has no address/);
});

test("what is asked wrongly is said to be wrong", async () => {
  await fails(
    ["greeter.v1.Greeter"],
    /"greeter\.v1\.Greeter" is no address: expected one such as localhost:50051/,
  );
  await fails(["localhost:1/health"], /"localhost:1\/health" is no address/);
  await fails(["localhost:1", "a.B", "a.C"], /"a\.C" is too much/);
  await fails(["--insecure", "localhost:1"], /--insecure/);
  await fails(
    ["localhost:1", "--ca", "nothing.crt"],
    /--ca is "nothing\.crt": expected a file that can be read/,
  );
  await fails(["localhost:1", "--cert", "a.crt"], /--cert was given alone: expected --key beside it/);
});

describe("by TLS", openssl, () => {
  before(makeCertificates);

  test("a server is known by its authority and its name", async () => {
    await using server = await healthServer({ "": "SERVING" }, { cert: "server" });
    const byName = ["--ca", "ours.crt", "--server-name", "kitchen"];
    assert.match(await health([server.target, ...byName]), /is SERVING/);
    await fails([server.target, "--ca", "ours.crt"], /There is no TLS connection .* not in the cert's list/);
    await fails(
      [server.target, ...byName.with(1, "theirs.crt")],
      /There is no TLS connection .* unable to verify/,
    );
    await fails([server.target], /If the server speaks TLS, say so: --tls, or --ca <file>/);
  });

  test("a server that asks for a certificate is shown one", async () => {
    await using server = await healthServer({ "": "SERVING" }, { cert: "server", clientCa: "ours.crt" });
    const args = [server.target, "--ca", "ours.crt", "--server-name", "kitchen"];
    assert.match(await health([...args, "--cert", "client.crt", "--key", "client.key"]), /is SERVING/);
    await fails(args, /There is no TLS connection|show one that it trusts/);
  });

  test("its own worker is known by the very certificate that it was given, whatever names that has", async () => {
    const tls = { TLS_CERT: "server.crt", TLS_KEY: "server.key" };
    await using plain = await healthServer({ "": "SERVING" }, { cert: "server" });
    assert.match(await health([], { ...tls, PORT: plain.port }), /is SERVING/);
    await fails([], /There is no TLS connection/, { TLS_CERT: "client.crt", PORT: plain.port });

    await using mutual = await healthServer({ "": "SERVING" }, { cert: "server", clientCa: "ours.crt" });
    const settings = { ...tls, TLS_CLIENT_CA: "ours.crt", PORT: mutual.port };
    assert.match(await health([], settings), /is SERVING/);
    const shown = { HEALTH_CERT: "client.crt", HEALTH_KEY: "client.key" };
    assert.match(await health([], { ...settings, ...shown }), /is SERVING/);
    const stranger = { HEALTH_CERT: "theirs.crt", HEALTH_KEY: "theirs.key" };
    await fails([], /If it asks for a certificate, show one that it trusts/, { ...settings, ...stranger });
  });
});

interface Listening extends AsyncDisposable {
  readonly target: string;
  readonly port: string;
}

/** A server of grpc-js with the health service that its makers publish. */
function healthServer(
  statuses: Readonly<Record<string, "SERVING" | "NOT_SERVING">>,
  tls?: { readonly cert: string; readonly clientCa?: string },
): Promise<Listening> {
  const server = new GrpcServer();
  new HealthImplementation({ ...statuses }).addToServer(server);
  if (!tls) return grpcServer(server);
  const pair = { cert_chain: file(`${tls.cert}.crt`), private_key: file(`${tls.cert}.key`) };
  const clientCa = tls.clientCa === undefined ? null : file(tls.clientCa);
  return grpcServer(server, ServerCredentials.createSsl(clientCa, [pair], clientCa !== null));
}

async function grpcServer(
  server: GrpcServer,
  credentials = ServerCredentials.createInsecure(),
): Promise<Listening> {
  const port = String(await promisify(server.bindAsync.bind(server))("127.0.0.1:0", credentials));
  return { port, target: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}

async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server of TCP has an address of this shape.
  const port = String((server.address() as AddressInfo).port);
  return {
    port,
    target: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function file(name: string): Buffer {
  return readFileSync(join(folder, name));
}

/** Two authorities, `ours` and `theirs`, and what the first one has signed: `server` and `client`. */
function makeCertificates(): void {
  const run = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const make = (name: string, ...args: string[]) =>
    run(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"],
      ...["-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", `/CN=${name}`, ...args],
    );
  for (const name of ["ours", "theirs"]) make(name);
  const signed = ["-CA", "ours.crt", "-CAkey", "ours.key", "-addext", "basicConstraints=critical,CA:FALSE"];
  for (const name of ["server", "client"]) make(name, ...signed, "-addext", "subjectAltName=DNS:kitchen");
}
