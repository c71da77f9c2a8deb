import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { parse } from "yaml";
import { needsEdge } from "./support/edge.ts";
import { startEnvoy } from "./support/envoy.ts";
import { createNetwork } from "./support/network.ts";
import { connect, serviceOf } from "./support/plain-client.ts";
import { ROOT } from "./support/worker-process.ts";

const GREETER = "greeter.gantry.svc.cluster.local";
const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");

test(
  "with the component tls, callers speak TLS to Envoy, and Envoy mutual TLS to workers",
  needsEdge(),
  async () => {
    using files = certificates();
    const { ca, key, cert } = files;
    await using network = await createNetwork();

    // A worker as far as TLS goes: it takes callers that its authority has signed.
    const worker = new Server();
    using _shutdown = { [Symbol.dispose]: () => worker.forceShutdown() };
    const peers: string[] = [];
    // proto-loader's definition is the one that grpc-js asks for; plain-client.ts shows less of it.
    worker.addService(greeter as unknown as ServiceDefinition, {
      SayHello(call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) {
        peers.push(String(call.getAuthContext().sslPeerCertificate?.subject.CN));
        answer(null, { reply: "Hello" });
      },
    });
    new HealthImplementation({ "": "SERVING" }).addToServer(worker);
    const pair = { private_key: readFileSync(key), cert_chain: readFileSync(cert) };
    await new Promise<void>((resolve, reject) => {
      worker.bindAsync(
        `${network.address}:50051`,
        ServerCredentials.createSsl(readFileSync(ca), [pair], true),
        (error) => (error ? reject(error) : resolve()),
      );
    });
    await network.name(GREETER, [network]);
    await using envoy = await startEnvoy(await network.host(), {
      args: componentArgs(),
      tls: { "tls.crt": cert, "tls.key": key, "ca.crt": ca },
    });

    const trusting = credentials.createSsl(readFileSync(ca));
    using client = connect(envoy.address, greeter, trusting, {
      "grpc.ssl_target_name_override": "edge.test",
    });
    const answer = await client.call("SayHello", { name: "七米" });
    assert.equal(answer.code, status.OK, answer.details);
    assert.deepEqual(peers, ["edge.test"]);

    using plain = connect(envoy.address, greeter);
    assert.equal((await plain.call("SayHello", { name: "plaintext" })).code, status.UNAVAILABLE);
  },
);

/** What the component adds to Envoy's arguments. */
function componentArgs(): string[] {
  const patch = parse(readFileSync(join(ROOT, "k8s/components/tls/envoy-args.yaml"), "utf8"));
  return patch.map(({ value }: { value: string }) => value);
}

/** An authority, and a certificate by it for both ends. */
function certificates() {
  const folder = mkdtempSync(join(tmpdir(), "gantry-envoy-tls-"));
  const [ca, key, cert] = [join(folder, "ca.crt"), join(folder, "tls.key"), join(folder, "tls.crt")];
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", ca, "-subj", "/CN=authority");
  openssl("req", ...newKey, "-keyout", key, "-out", "tls.csr", "-subj", "/CN=edge.test");
  writeFileSync(join(folder, "names"), `subjectAltName=DNS:edge.test,DNS:${GREETER}`);
  const by = ["-CA", ca, "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "1"];
  openssl("x509", "-req", "-in", "tls.csr", ...by, "-out", cert);
  return { ca, key, cert, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
